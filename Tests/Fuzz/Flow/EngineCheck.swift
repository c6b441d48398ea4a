internal import ApusCore
internal import ApusTraffic

/// Views taken into the proxy's own store, and a few requests decided there: nothing may crash, every resource is
/// accepted or refused for a feature that the proxy lacks, and a domain that a virtual host claims is found.
struct EngineCheck: Sendable {
    private(set) var problems: [String] = []
    /// Reasons of refusals.
    private(set) var refusals: [String] = []
    private var store = ConfigStore()
    private var taken = ResourceView()

    /// Takes what differs from the view before, as a proxy would be sent it, and decides.
    mutating func run(_ view: ResourceView) {
        take(view)
        decide()
    }

    private mutating func take(_ view: ResourceView) {
        for type in ResourceType.allCases {
            let diff = view[type].diff(since: taken[type])
            let resources = diff.changed
            let verdict = store.apply(
                ConfigUpdate(
                    type: type,
                    changed: resources.map { .init(name: $0.name, version: "\($0.version)", body: $0.body) },
                    removed: diff.removed), now: 1)
            if verdict.accepted.count + verdict.rejected.count != resources.count {
                problems.append(
                    "\(type): \(verdict.accepted.count) accepted and \(verdict.rejected.count) refused of "
                        + "\(resources.count)")
            }
            for rejection in verdict.rejected {
                if rejection.reason.isEmpty { problems.append("\(type) \(rejection.name) is refused without a reason") }
                refusals.append("\(type): \(rejection.reason)")
                // A feature that the proxy lacks is said so; anything else is a resource that no proxy should be sent.
                if !rejection.reason.contains("not supported") {
                    problems.append("\(type) \(rejection.name) is refused: \(rejection.reason)")
                }
            }
        }
        taken = view
    }

    private mutating func decide() {
        let configuration = store.configuration
        for table in configuration.routeTables.lazy.compactMap({ $0 }) {
            for (number, host) in table.virtualHosts.prefix(8).enumerated() {
                for domain in host.domains.prefix(2) {
                    let isPattern = domain.contains("*")
                    for path in ["/", "/beta/1?x=y", "*"] {
                        let head = HTTPHead(
                            method: number % 2 == 0 ? "GET" : "POST", path: path,
                            authority: isPattern ? "a.b" : domain,
                            fields: [
                                ("cookie", "group=beta"), ("x-canary", "true"), ("content-type", "application/grpc"),
                            ])
                        let decision = table.decide(head: head, draw: Draw(UInt64(number) &* 0x9E37_79B9_7F4A_7C15))
                        if !isPattern, !table.ignoresPortInHost, decision.virtualHost == nil {
                            problems.append("\(table.name): nobody serves the domain \(domain)")
                        }
                        if case .forward(_, .known(let reference)) = decision.outcome,
                            let cluster = configuration.cluster(reference.slot),
                            cluster.config.name != reference.name
                        {
                            problems.append("\(table.name): \(reference.name) is served by \(cluster.config.name)")
                        }
                    }
                }
            }
        }
        for listener in configuration.listeners {
            for port in [80, listener.address.port ?? 0] as [UInt16] {
                _ = listener.matcher.find(
                    ConnectionFacts(
                        destination: IPAddress("10.96.0.1"), destinationPort: port, source: IPAddress("10.1.9.9"),
                        sourcePort: 50_000))
            }
        }
    }
}
