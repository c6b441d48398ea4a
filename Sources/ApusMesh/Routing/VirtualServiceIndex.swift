internal import ApusCore
internal import ApusModel

/// All resolved VirtualServices with hosts. Rebuilt when the content of one changes; instances whose object and
/// delegates did not change are used again.
final class VirtualServiceIndex: Sendable {
    private let results: [ObjectKey: VirtualServiceResolution.Result]
    /// Those bound to `mesh`, most specific host first, then oldest first.
    let mesh: [ResolvedVirtualService]
    /// By `namespace/name`, oldest first.
    let byGateway: [String: [ResolvedVirtualService]]
    let findings: [MeshFinding]

    static let empty = VirtualServiceIndex(
        objects: [],
        resolution: VirtualServiceResolution(domain: "", defaultExportTo: [], table: ObjectTable()), reusing: nil)

    /// - Parameters:
    ///   - objects: all VirtualServices, oldest first.
    ///   - previous: an index made with an equal domain and default.
    init(objects: [ConfigObject], resolution: VirtualServiceResolution, reusing previous: VirtualServiceIndex?) {
        var results: [ObjectKey: VirtualServiceResolution.Result] = [:]
        var byGateway: [String: [ResolvedVirtualService]] = [:]
        var ranked: [(rank: Int, resolved: ResolvedVirtualService)] = []
        var findings: [MeshFinding] = []
        for object in objects {
            guard case .virtualService(let spec) = object.spec, !spec.isDelegate else { continue }
            let result: VirtualServiceResolution.Result
            if let old = previous?.results[object.key], old.resolved.object.hasSameContent(as: object),
                old.delegates.isEmpty
                    || zip(old.delegates, resolution.delegates(of: spec, namespace: object.metadata.namespace))
                        .allSatisfy({ $0?.version == $1?.version })
            {
                result = old
            } else {
                result = resolution.resolve(object, spec)
            }
            results[object.key] = result
            findings += result.findings
            var seen: Set<String> = []
            for gateway in result.resolved.spec.gateways where seen.insert(gateway).inserted {
                if gateway == "mesh" {
                    ranked.append((result.resolved.rank, result.resolved))
                } else {
                    byGateway[gateway, default: []].append(result.resolved)
                }
            }
        }
        // The sort is stable by construction: equal ranks keep their place in the order of age.
        mesh = ranked.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element.resolved)
        self.results = results
        self.byGateway = byGateway
        self.findings = findings
    }
}

extension ResolvedVirtualService {
    /// 0 with an exact host; else smaller for a longer wildcard.
    fileprivate var rank: Int {
        hosts.map { $0.isWildcard ? 1_000 - min($0.text.utf8.count, 999) : 0 }.min() ?? 0
    }
}

/// Finds the VirtualServices whose hosts cover a service.
struct VirtualServiceMatcher: Sendable {
    private var exact: [HostName: [ResolvedVirtualService]] = [:]
    /// Longest first.
    private var wildcards: [(host: HostName, virtualServices: [ResolvedVirtualService])] = []

    /// - Parameter virtualServices: oldest first within one host.
    init(_ virtualServices: [ResolvedVirtualService]) {
        var byWildcard: [HostName: [ResolvedVirtualService]] = [:]
        for virtualService in virtualServices {
            for host in virtualService.hosts {
                if host.isWildcard {
                    byWildcard[host, default: []].append(virtualService)
                } else {
                    exact[host, default: []].append(virtualService)
                }
            }
        }
        wildcards = byWildcard.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    func virtualServices(for host: HostName) -> [ResolvedVirtualService] {
        var result = exact[host] ?? []
        for (wildcard, virtualServices) in wildcards where host.isSubset(of: wildcard) {
            for virtualService in virtualServices where !result.contains(where: { $0 === virtualService }) {
                result.append(virtualService)
            }
        }
        return result
    }
}
