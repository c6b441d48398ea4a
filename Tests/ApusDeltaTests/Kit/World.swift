internal import ApusCore
internal import ApusDelta

/// A small mesh of letters that is edited at random and is consistent at every moment: every listener `l1` has the
/// route `l1`, every cluster `c1` the endpoints `c1`, and the content of a route says which cluster it uses.
struct World {
    private(set) var contents: [ResourceType: [String: Int]] = [:]
    private(set) var view = ResourceView()
    /// Every content is new, so that a return to earlier content is a matter of choice.
    private var lastContent = 0

    static let most = 10

    static func cluster(usedBy routeContent: Int) -> String { "c\(routeContent % most)" }

    /// One to three changes at once.
    mutating func edit(using random: inout SeededRandom) {
        for _ in 0..<Int.random(in: 1...3, using: &random) { change(using: &random) }
        publish(using: &random)
    }

    private mutating func change(using random: inout SeededRandom) {
        let clusters = contents[.cluster, default: [:]].keys.sorted()
        let listeners = contents[.listener, default: [:]].keys.sorted()
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            let name = "c\(Int.random(in: 0..<Self.most, using: &random))"
            contents[.cluster, default: [:]][name] = fresh()
            if contents[.endpoints]?[name] == nil { contents[.endpoints, default: [:]][name] = fresh() }
        case 2, 3:
            guard let name = clusters.randomElement(using: &random) else { return }
            contents[.endpoints, default: [:]][name] = fresh()
        case 4:
            guard let target = clusters.randomElement(using: &random) else { return }
            let name = "l\(Int.random(in: 0..<Self.most, using: &random))"
            contents[.listener, default: [:]][name] = fresh()
            contents[.secret, default: [:]][name] = fresh()
            point(name, to: target)
        case 5:
            guard let name = listeners.randomElement(using: &random),
                let target = clusters.randomElement(using: &random)
            else { return }
            point(name, to: target)
        case 6:
            guard let name = listeners.randomElement(using: &random) else { return }
            for type in [ResourceType.listener, .route, .secret] { contents[type]?[name] = nil }
        default:
            // Remove a cluster; routes that use it move to another in the same breath.
            guard clusters.count > 1, let name = clusters.randomElement(using: &random) else { return }
            let target = clusters.first { $0 != name } ?? name
            for (route, content) in contents[.route, default: [:]].sorted(by: { $0.key < $1.key })
            where Self.cluster(usedBy: content) == name {
                point(route, to: target)
            }
            contents[.cluster]?[name] = nil
            contents[.endpoints]?[name] = nil
        }
    }

    private mutating func fresh() -> Int {
        lastContent += 1
        return lastContent
    }

    private mutating func point(_ route: String, to cluster: String) {
        let digit = Int(cluster.dropFirst()) ?? 0
        contents[.route, default: [:]][route] = fresh() * Self.most + digit
    }

    /// The sets know the step from their predecessors, or not, at random.
    private mutating func publish(using random: inout SeededRandom) {
        for type in ResourceType.allCases {
            let resources = contents[type, default: [:]].map { resource(type, $0.key, $0.value) }
            let next = ResourceSet(
                type: type, resources: resources, after: Bool.random(using: &random) ? view[type] : nil)
            if next.version != view[type].version { view[type] = next }
        }
    }
}
