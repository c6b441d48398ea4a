/// Names made into slots, for the life of a store.
struct SlotRegistry: Sendable {
    private(set) var slots: [String: Slot] = [:]
    private(set) var names: [String] = []

    /// A peer could otherwise grow the tables without end by ever new names.
    static let limit = 1 << 20

    mutating func slot(_ name: String) throws(Refusal) -> Slot {
        if let slot = slots[name] { return slot }
        guard names.count < Self.limit else { throw Refusal("", "more than \(Self.limit) names were ever in use") }
        let slot = Slot(names.count)
        slots[name] = slot
        names.append(name)
        return slot
    }
}

/// What decoding needs besides the bytes.
struct DecodingContext: Sendable {
    var clusters = SlotRegistry()
    var routeTables = SlotRegistry()
    var filters = SlotRegistry()
    /// By name and who brings them.
    var secrets = SlotRegistry()

    mutating func secret(_ name: String, _ origin: SecretOrigin) throws(Refusal) -> SecretReference {
        SecretReference(name: name, origin: origin, slot: try secrets.slot("\(origin) \(name)"))
    }

    mutating func cluster(_ name: String) throws(Refusal) -> ClusterReference {
        guard !name.isEmpty else { throw Refusal("", "the name of the cluster is empty") }
        return ClusterReference(name: name, slot: try clusters.slot(name))
    }
}
