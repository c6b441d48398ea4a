internal import ApusAPI
internal import ApusCompiler
internal import ApusCore
internal import ApusDelta
internal import ApusMesh
internal import ApusModel
internal import Foundation

/// The pages of the HTTP port: what is served, to whom, and how it was taken.
///
/// `/debug/*` tells who talks to whom, so it answers only clients on this machine: nobody else can prove an identity on
/// this port. Keys and the content of Secrets are on no page.
package struct DebugPages: Sendable {
    private let pipeline: Pipeline
    private let metrics: Metrics
    private let version: String

    package init(pipeline: Pipeline, metrics: Metrics, version: String) {
        self.pipeline = pipeline
        self.metrics = metrics
        self.version = version
    }

    package func answer(_ request: PageRequest) async -> Page {
        guard ["GET", "HEAD"].contains(request.method) else {
            return Page(status: 405, contentType: "text/plain; charset=utf-8", body: "only GET is answered here\n")
        }
        if request.path.hasPrefix("/debug"), !request.isLocal {
            return Page(
                status: 403, contentType: "text/plain; charset=utf-8",
                body: "/debug is answered on loopback only: this port cannot tell who asks from elsewhere\n")
        }
        switch request.path {
        case "/ready":
            return await pipeline.isReady
                ? Page(contentType: "text/plain; charset=utf-8", body: "ready\n")
                : Page(status: 503, contentType: "text/plain; charset=utf-8", body: "the first snapshot is not ready\n")
        case "/metrics", "/stats/prometheus":
            await refreshGauges()
            return Page(contentType: "text/plain; version=0.0.4; charset=utf-8", body: metrics.text())
        case "/version": return json(["version": version])
        case "/debug/syncz": return json(await syncz())
        case "/debug/configz": return json(await configz())
        case "/debug/registryz": return json(await registryz())
        case "/debug/endpointz", "/debug/endpointShardz": return json(await endpointz())
        case "/debug/connections": return json(await connections())
        case "/debug/push_status": return json(await pushStatus())
        case "/debug/config_dump": return await configDump(request)
        case "/", "/debug": return json(["pages": Self.paths])
        default: return .notFound("there is no page \(request.path.prefix(200))")
        }
    }

    private static let paths = [
        "/ready", "/metrics", "/version", "/debug/syncz", "/debug/configz", "/debug/registryz", "/debug/endpointz",
        "/debug/config_dump?proxyID=NAME.NAMESPACE", "/debug/connections", "/debug/push_status",
    ]

    private func json(_ value: Any) -> Page {
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: value, options: options) else {
            return Page(status: 500, contentType: "text/plain; charset=utf-8", body: "the page cannot be written\n")
        }
        return Page(body: String(decoding: data, as: UTF8.self) + "\n")
    }

    private func refreshGauges() async {
        guard let counts = await pipeline.snapshot?.counts else { return }
        metrics.set(.services, counts.services)
        metrics.set(.virtualServices, counts.virtualServices)
        metrics.set(.endpoints, counts.endpoints)
    }

    // MARK: Pages

    private func syncz() async -> Any {
        var rows: [[String: Any]] = []
        for handle in await pipeline.connected {
            var row = identity(handle)
            for type in ResourceType.allCases {
                row[Self.label(type)] = await status(handle, type)
            }
            rows.append(row)
        }
        return rows
    }

    static func label(_ type: ResourceType) -> String {
        switch type {
        case .cluster: "cluster"
        case .endpoints: "endpoint"
        case .listener: "listener"
        case .route: "route"
        case .secret: "secret"
        }
    }

    private func status(_ handle: StreamHandle, _ type: ResourceType) async -> [String: Any] {
        guard let status = handle.status?[type] else { return ["state": "NOT SENT"] }
        let now = MonotonicClock.now
        var result: [String: Any] = [
            "state": status.state == .notSent ? "NOT SENT" : status.state.rawValue,
            "responses": status.counts.responses,
            "resources": status.counts.resources,
            "removals": status.counts.removals,
            "bytes": status.counts.bytes,
            "acks": status.counts.acknowledgements,
            "nacks": status.counts.rejections,
            "subscribed": status.isWildcard ? "*" : "\(status.names)",
        ]
        if let sent = status.sent {
            result["sentVersion"] = sent.version.description
            result["sentNonce"] = sent.nonce
            result["sentAgeSeconds"] = seconds(sent.at.duration(to: now))
        }
        if let acknowledged = status.acknowledged {
            result["ackedVersion"] = acknowledged.version.description
            result["ackedAgeSeconds"] = seconds(acknowledged.at.duration(to: now))
        }
        if let rejection = status.rejection {
            var manifests: [String] = []
            for source in rejection.sources.prefix(8) {
                if let location = await pipeline.location(of: source) { manifests.append("\(location) (\(source))") }
            }
            result["error"] = [
                "message": rejection.message, "resources": rejection.resources, "manifests": manifests,
                "version": rejection.version.description,
            ]
        }
        return result
    }

    private func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return (Double(seconds) * 1000 + (Double(attoseconds) / 1e15)).rounded() / 1000
    }

    private func identity(_ handle: StreamHandle) -> [String: Any] {
        [
            "proxy": handle.proxy.id, "node": handle.nodeID, "stream": Int(handle.id),
            "protocol": handle.isDelta ? "delta" : "sotw", "peer": handle.peer,
            "connectedSeconds": seconds(.seconds(0) + (ContinuousClock.now - handle.connectedAt)),
        ]
    }

    private func connections() async -> Any {
        let handles = await pipeline.connected
        return ["total": handles.count, "connections": handles.map(identity)] as [String: Any]
    }

    private func configz() async -> Any {
        let kept = await pipeline.keptObjects
        let objects = await pipeline.objects
        let findings = await pipeline.findings()
        return [
            "objects": objects.map { object -> [String: Any] in
                [
                    "kind": object.key.kind.rawValue, "namespace": object.key.name.namespace,
                    "name": object.key.name.name, "version": object.version.description,
                    "source": object.origin.location.description, "lastGood": kept.contains(object.key),
                ]
            },
            "findings": findings.map { finding -> [String: Any] in
                var row: [String: Any] = [
                    "severity": finding.severity.rawValue, "code": finding.code, "message": finding.message,
                    "location": finding.location.description,
                ]
                row["hint"] = finding.hint
                row["object"] = finding.object
                row["field"] = finding.field
                return row
            },
        ] as [String: Any]
    }

    private func registryz() async -> Any {
        guard let snapshot = await pipeline.snapshot else { return [Any]() }
        return snapshot.services.map { service -> [String: Any] in
            [
                "hostname": service.host.text, "namespace": service.namespace, "name": service.name,
                "registry": service.isKubernetes ? "Kubernetes" : "External",
                "addresses": service.addresses,
                "ports": service.ports.map { port -> [String: Any] in
                    var row: [String: Any] = [
                        "number": Int(port.number), "name": port.name, "protocol": port.protocol.rawValue.uppercased(),
                    ]
                    row["targetPort"] = port.targetPort.map { Int($0) }
                    return row
                },
                "resolution": Self.label(service.resolution), "meshExternal": service.isMeshExternal,
                "headless": service.isHeadless, "exportTo": Self.label(service.exportTo),
                "labels": service.labels, "selector": service.selector.labels,
                "subjectAltNames": service.subjectAltNames,
                "endpoints": snapshot.endpoints(of: service).byPort.values.reduce(0) { $0 + $1.count },
                "sources": service.sources.map { (snapshot.object($0.key) ?? $0).origin.location.description },
            ]
        }
    }

    /// Istio's names.
    private static func label(_ resolution: Service.Resolution) -> String {
        switch resolution {
        case .clientSideLB: "ClientSideLB"
        case .dnsLB: "DNSLB"
        case .dnsRoundRobin: "DNSRoundRobinLB"
        case .passthrough: "Passthrough"
        case .dynamicDNS: "DynamicDNS"
        case .alias(let host): "Alias \(host.text)"
        }
    }

    private static func label(_ visibility: Visibility) -> [String] {
        switch visibility {
        case .all: ["*"]
        case .nobody: ["~"]
        case .namespaces(let names): names.sorted()
        }
    }

    private func endpointz() async -> Any {
        guard let snapshot = await pipeline.snapshot else { return [Any]() }
        return snapshot.services.map { service -> [String: Any] in
            let ports = snapshot.endpoints(of: service).byPort
            return [
                "hostname": service.host.text, "namespace": service.namespace,
                "ports": ports.sorted { $0.key < $1.key }.map { port, endpoints -> [String: Any] in
                    [
                        "port": Int(port),
                        "endpoints": endpoints.map { endpoint -> [String: Any] in
                            [
                                "address": endpoint.address, "port": Int(endpoint.port), "health": "\(endpoint.health)",
                                "labels": endpoint.labels, "weight": Int(endpoint.weight),
                                "locality": endpoint.locality.description, "workload": endpoint.workloadName,
                            ]
                        },
                    ]
                },
            ]
        }
    }

    private func pushStatus() async -> Any {
        let findings = await pipeline.findings()
        var byCode: [String: [[String: Any]]] = [:]
        for finding in findings {
            byCode[finding.code, default: []].append([
                "message": finding.message, "location": finding.location.description,
                "severity": finding.severity.rawValue,
            ])
        }
        return byCode
    }

    /// What one connected proxy was sent, in the shape of `apus compile`.
    private func configDump(_ request: PageRequest) async -> Page {
        guard let wanted = request.query["proxyID"], !wanted.isEmpty else {
            return Page(
                status: 400, contentType: "text/plain; charset=utf-8", body: "proxyID=NAME.NAMESPACE is needed\n")
        }
        guard let handle = await pipeline.connected.last(where: { $0.proxy.id == wanted || $0.nodeID == wanted }) else {
            return .notFound("no connected proxy is named \(wanted.prefix(200))")
        }
        var types = Set(ResourceType.allCases)
        if let type = request.query["type"], type != "all" {
            types = types.filter { $0.shortName == type }
            guard !types.isEmpty else {
                return Page(
                    status: 400, contentType: "text/plain; charset=utf-8",
                    body: "type is lds, rds, cds, eds, sds or all\n")
            }
        }
        return Page(body: CompileOutput.json(view: handle.view, types: types) + "\n")
    }
}
