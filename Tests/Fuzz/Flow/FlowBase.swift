internal import ApusCore
internal import ApusManifest
package import ApusMesh
package import ApusModel

/// The mesh that every input is laid over: small, valid, with something of everything, so that a changed object meets
/// neighbours whose configuration must not suffer.
package enum FlowBase {
    package static let manifest = """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: default}
        spec:
          clusterIP: 10.96.0.1
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 3306}, {name: grpc, port: 9000}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: my-app, namespace: default}
        spec:
          clusterIP: 10.96.0.2
          selector: {app: my-app}
          ports: [{name: http, port: 80, targetPort: 8080}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: tls, namespace: default}
        spec:
          clusterIP: 10.96.0.3
          selector: {app: web}
          ports: [{name: https, port: 443}, {name: auto, port: 7000}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: headless, namespace: default}
        spec:
          clusterIP: None
          selector: {app: web}
          ports: [{name: tcp, port: 5432}, {name: http, port: 8090}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: api, namespace: shop}
        spec:
          clusterIP: 10.96.1.1
          clusterIPs: [10.96.1.1, "fd00::1"]
          selector: {app: api}
          ports: [{name: http, port: 80, targetPort: web}, {name: http-admin, port: 8081}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: ingress, namespace: istio-system}
        spec:
          clusterIP: 10.96.2.1
          selector: {istio: ingressgateway}
          ports: [{name: http2, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web-1, namespace: default, labels: {app: web, version: v1}}
        spec: {serviceAccountName: web, containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
        status: {podIP: 10.1.0.1, phase: Running}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: my-app-1, namespace: default, labels: {app: my-app, version: v1}}
        spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
        status: {podIP: 10.1.0.2, phase: Running}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: my-app-2, namespace: default, labels: {app: my-app, version: v2}}
        spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
        status: {podIP: 10.1.0.3, phase: Running}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: api-1, namespace: shop, labels: {app: api, version: v1}}
        spec: {containers: [{name: c, image: i, ports: [{name: web, containerPort: 8080}]}]}
        status: {podIP: 10.1.1.1, podIPs: [{ip: 10.1.1.1}, {ip: "fd00:1::1"}], phase: Running}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: gw, namespace: istio-system, labels: {istio: ingressgateway}}
        spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
        status: {podIP: 10.1.2.1, phase: Running}
        ---
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: my-app, namespace: default}
        spec:
          host: my-app
          subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: my-app, namespace: default}
        spec:
          hosts: [my-app, my-app.example.com]
          gateways: [mesh, istio-system/front]
          http:
            - match: [{uri: {prefix: /beta}}]
              route: [{destination: {host: my-app, subset: v2}}]
            - route:
                - {destination: {host: my-app, subset: v1}, weight: 90}
                - {destination: {host: my-app, subset: v2}, weight: 10}
        ---
        apiVersion: networking.istio.io/v1
        kind: Gateway
        metadata: {name: front, namespace: istio-system}
        spec:
          selector: {istio: ingressgateway}
          servers:
            - port: {number: 80, name: http, protocol: HTTP}
              hosts: ["*.example.com"]
        ---
        apiVersion: networking.istio.io/v1
        kind: ServiceEntry
        metadata: {name: outside, namespace: default}
        spec:
          hosts: [outside.example.org]
          ports: [{number: 443, name: tls, protocol: TLS}, {number: 8088, name: http, protocol: HTTP}]
          resolution: DNS
          location: MESH_EXTERNAL
        ---
        apiVersion: networking.istio.io/v1
        kind: Sidecar
        metadata: {name: none, namespace: shop}
        spec:
          workloadSelector: {labels: {app: api}}
          ingress:
            - {port: {number: 8080, protocol: HTTP, name: http}, defaultEndpoint: "127.0.0.1:9080", captureMode: NONE}
          egress:
            - {port: {number: 9080, protocol: HTTP, name: egress}, bind: 127.0.0.1, captureMode: NONE, hosts: ["*/*"]}
            - {hosts: ["./*", "default/*"]}
        """

    /// One of every kind of proxy that the compiler knows.
    package static let proxies: [Proxy] = [
        Proxy(
            id: "web-1.default", namespace: "default", addresses: ["10.1.0.1"],
            labels: ["app": "web", "version": "v1"]),
        Proxy(
            id: "api-1.shop", namespace: "shop", addresses: ["10.1.1.1", "fd00:1::1"], labels: ["app": "api"],
            interception: .none, httpProxyPort: 15_080),
        Proxy(
            id: "gw.istio-system", role: .router, namespace: "istio-system", addresses: ["10.1.2.1"],
            labels: ["istio": "ingressgateway"]),
        Proxy(id: "client.default", generator: .grpc, namespace: "default", addresses: ["10.1.0.9"]),
        Proxy(
            id: "my-app-1.default", namespace: "default", addresses: ["10.1.0.2"], labels: ["app": "my-app"],
            interception: .tproxy),
    ]

    /// Proxies that the input itself speaks of, so that its own workloads and gateways are compiled for.
    package static func proxies(of objects: [ConfigObject]) -> [Proxy] {
        var result: [Proxy] = []
        for object in objects {
            switch object.spec {
            case .pod(let pod):
                guard let address = pod.podIPs.first else { continue }
                result.append(
                    Proxy(
                        id: "\(object.metadata.name).\(object.metadata.namespace)",
                        namespace: object.metadata.namespace, addresses: [address], labels: object.metadata.labels))
            case .gateway(let gateway):
                result.append(
                    Proxy(
                        id: "input-gateway.\(object.metadata.namespace)", role: .router,
                        namespace: object.metadata.namespace, addresses: ["10.9.9.9"], labels: gateway.selector,
                        isUnprivileged: true, http10: true))
            case .sidecar(let sidecar):
                result.append(
                    Proxy(
                        id: "input-sidecar.\(object.metadata.namespace)", namespace: object.metadata.namespace,
                        addresses: ["fd00::9"], labels: sidecar.workloadSelector ?? [:], interception: .none))
            default: continue
            }
            if result.count == 3 { break }
        }
        return result
    }
}
