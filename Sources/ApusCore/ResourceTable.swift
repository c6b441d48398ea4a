/// Resources by name, in two layers: what many share, and what one has of its own instead or beside.
///
/// A thousand workloads of one class share the class's table; each adds a handful of resources. A plain copy of the table
/// per workload would cost as much as all the rest of its stream.
public struct ResourceTable: Sequence, Sendable {
    /// One storage for all tables made over it.
    fileprivate let shared: [String: EncodedResource]
    fileprivate let own: [String: EncodedResource]
    /// Names of `shared` that are not to be seen; without those of `own`.
    fileprivate let hidden: Set<String>
    public let count: Int

    init(_ all: [String: EncodedResource]) {
        shared = all
        own = [:]
        hidden = []
        count = all.count
    }

    /// What is in `base`, without `hidden`, and `own`, which wins over what has the same name.
    init(over base: ResourceTable, own: [EncodedResource], hidden: Set<String>) {
        shared = base.isPlain ? base.shared : Dictionary(uniqueKeysWithValues: base.map { ($0.key, $0.value) })
        self.own = Dictionary(own.map { ($0.name, $0) }) { $1 }
        let names = self.own
        self.hidden = hidden.filter { names[$0] == nil }
        let shared = shared
        count =
            shared.count - self.hidden.count { shared[$0] != nil } - names.keys.count { shared[$0] != nil }
            + names.count
    }

    private var isPlain: Bool { own.isEmpty && hidden.isEmpty }

    public var isEmpty: Bool { count == 0 }

    public subscript(_ name: String) -> EncodedResource? {
        if let resource = own[name] { return resource }
        if hidden.contains(name) { return nil }
        return shared[name]
    }

    public var keys: [String] { map(\.key) }

    public var values: [EncodedResource] { map(\.value) }

    public var underestimatedCount: Int { count }

    public func makeIterator() -> Iterator { Iterator(self) }

    /// Own resources first; in no order worth relying on.
    public struct Iterator: IteratorProtocol {
        private let table: ResourceTable
        private var own: Dictionary<String, EncodedResource>.Iterator
        private var shared: Dictionary<String, EncodedResource>.Iterator

        fileprivate init(_ table: ResourceTable) {
            self.table = table
            own = table.own.makeIterator()
            shared = table.shared.makeIterator()
        }

        public mutating func next() -> (key: String, value: EncodedResource)? {
            if let (name, resource) = own.next() { return (name, resource) }
            while let (name, resource) = shared.next() {
                if table.isPlain || (table.own[name] == nil && !table.hidden.contains(name)) { return (name, resource) }
            }
            return nil
        }
    }

    /// One dictionary with everything, for a successor that differs in many places; the shared one itself if that is all.
    var flattened: [String: EncodedResource] {
        isPlain ? shared : Dictionary(uniqueKeysWithValues: map { ($0.key, $0.value) })
    }
}
