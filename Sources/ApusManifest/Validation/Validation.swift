internal import ApusCore
internal import ApusModel

/// The rules that one object must keep by itself (semantics 4.14). Rules that need other objects are in `Analysis`.
enum Validation {
    static func findings(_ object: ConfigObject) -> [Finding] {
        let checks = Checks(object)
        checks.metadata(object.metadata, isClusterScoped: object.key.kind == .node || object.key.kind == .namespace)
        switch object.spec {
        case .virtualService(let spec): checks.virtualService(spec)
        case .destinationRule(let spec): checks.destinationRule(spec)
        case .gateway(let spec): checks.gateway(spec)
        case .serviceEntry(let spec): checks.serviceEntry(spec)
        case .workloadEntry(let spec): checks.workloadEntry(spec, "spec", addressFor: nil)
        case .workloadGroup(let spec): checks.workloadGroup(spec)
        case .sidecar(let spec): checks.sidecar(spec)
        case .peerAuthentication(let spec): checks.peerAuthentication(spec)
        case .requestAuthentication(let spec): checks.requestAuthentication(spec)
        case .authorizationPolicy(let spec): checks.authorizationPolicy(spec)
        case .envoyFilter(let spec): checks.envoyFilter(spec)
        case .telemetry(let spec): checks.telemetry(spec)
        case .proxyConfig(let spec): checks.proxyConfig(spec)
        case .service(let spec): checks.service(spec)
        case .endpointSlice(let spec): checks.endpointSlice(spec)
        case .endpoints(let spec): checks.endpoints(spec)
        case .pod(let spec): checks.pod(spec)
        case .workloadController(let spec): checks.workloadController(spec)
        case .node, .namespace, .serviceAccount, .secret, .configMap: break
        }
        return checks.findings
    }
}
