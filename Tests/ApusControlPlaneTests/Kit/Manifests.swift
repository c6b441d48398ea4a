import ApusControlPlane
import ApusManifest

/// Manifests as text.
enum Manifests {
    static func service(_ name: String, port: Int = 80, namespace: String = "default") -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: \(namespace)}
        spec:
          selector: {app: \(name)}
          ports: [{name: http, port: \(port)}]

        """
    }

    static func slice(_ service: String, _ addresses: [String], port: Int = 8080) -> String {
        """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: \(service)-1
          labels: {kubernetes.io/service-name: \(service)}
        addressType: IPv4
        ports: [{name: http, port: \(port)}]
        endpoints:
        \(addresses.map { "- {addresses: [\($0)], conditions: {ready: true}}" }.joined(separator: "\n"))

        """
    }

    static func route(_ name: String, host: String, to destination: String? = nil) -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: \(name)}
        spec:
          hosts: [\(host)]
          http:
          - route: [{destination: {host: \(destination ?? host)}}]

        """
    }

    /// A VirtualService that can be identified but not used.
    static func damagedRoute(_ name: String) -> String {
        """
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: \(name)}
        spec:
          hosts: 7
          http: wrong

        """
    }

    static func documents(_ texts: String...) -> String { texts.joined(separator: "---\n") }

    static func reading(_ path: String, _ text: String?) -> (path: String, file: ManifestFile?) {
        (path, text.map { ManifestReader.read(file: path, text: Array($0.utf8)) })
    }

    static func change(_ path: String, _ text: String?) -> FileChange {
        FileChange(path: path, content: text.map { Array($0.utf8) })
    }
}
