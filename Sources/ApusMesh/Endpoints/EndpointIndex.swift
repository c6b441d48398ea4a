internal import ApusCore
internal import ApusModel

/// Endpoints of every service, kept up to date at the cost of what an edit touches.
struct EndpointIndex: Sendable {
    private var sets = ShardedDictionary<Service.ID, EndpointSet>()
    /// Workloads that a selector of the service selects, by key. Services without any are absent.
    private var members = ShardedDictionary<Service.ID, [ObjectKey]>()
    /// Services with an endpoint at an address.
    private var byAddress = ShardedDictionary<String, [Service.ID]>()
    /// Pods that the slices of a service name, and the services by such a pod. A pod may come after the slice.
    private var podReferences = ShardedDictionary<Service.ID, Set<NamespacedName>>()
    private var byPod = ShardedDictionary<NamespacedName, [Service.ID]>()
    /// EndpointSlices of a service, by name.
    private var slices = ShardedDictionary<NamespacedName, [NamespacedName]>()
    private var findingsByService = ShardedDictionary<Service.ID, [MeshFinding]>()
    /// Endpoints of all services and ports.
    private(set) var count = 0

    func endpoints(of id: Service.ID) -> EndpointSet { sets[id] ?? .empty }

    /// Services with an endpoint at `address`, in no defined order.
    func services(address: String) -> [Service.ID] { byAddress[address] ?? [] }

    func findings() -> [MeshFinding] {
        var result: [MeshFinding] = []
        findingsByService.forEach { result.append(contentsOf: $1) }
        return result
    }

    func changedServices(since other: EndpointIndex) -> Set<Service.ID> {
        var result: Set<Service.ID> = []
        sets.forEachPossibleDifference(from: other.sets) { id, mine, theirs in
            if mine?.version != theirs?.version { result.insert(id) }
        }
        return result
    }

    /// - Parameters:
    ///   - edits: what changed in `table`.
    ///   - networkChanged: the root namespace names another network than before.
    ///   - previous: sets of an older snapshot, used again where equal.
    mutating func apply(
        _ edits: [ObjectTable.Edit], workloadEdits: [WorkloadIndex.Edit], table: ObjectTable,
        workloads: WorkloadIndex, maker: WorkloadMaker, services: ServiceIndex, oldServices: ServiceIndex,
        networkChanged: Bool, reusing previous: EndpointIndex?
    ) {
        // Endpoints that are no workload's are in the root namespace's network.
        var affected: Set<Service.ID> = networkChanged ? Set(services.byID.keys) : []

        // Slices and Endpoints lead to their service by name.
        var owners: Set<NamespacedName> = []
        var sliceEdits: [NamespacedName: Set<NamespacedName>] = [:]
        for edit in edits {
            switch edit.key.kind {
            case .endpointSlice:
                for object in [edit.old, edit.new] {
                    guard let owner = object?.sliceOwner else { continue }
                    owners.insert(owner)
                    var names = sliceEdits[owner] ?? Set(slices[owner] ?? [])
                    if object === edit.new { names.insert(edit.key.name) } else { names.remove(edit.key.name) }
                    sliceEdits[owner] = names
                }
            case .endpoints:
                owners.insert(edit.key.name)
            default:
                break
            }
        }
        slices.apply(sliceEdits.mapValues { $0.isEmpty ? nil : $0.sorted() })
        for owner in owners {
            affected.formUnion(services.bySource[ObjectKey(kind: .service, name: owner)] ?? [])
        }

        // Services that are new, gone or different.
        var rescanned: [SelectorIndex.Entry] = []
        var rescannedIDs: Set<Service.ID> = []
        var gone: Set<Service.ID> = []
        if services !== oldServices {
            for (id, service) in services.byID {
                let old = oldServices.byID[id]
                if old === service { continue }
                affected.insert(id)
                let selectors = service.selectors
                if old.map({ $0.selectors != selectors }) ?? true {
                    rescannedIDs.insert(id)
                    rescanned += selectors.map { SelectorIndex.Entry(id: id, selector: $0) }
                }
            }
            for id in oldServices.byID.keys where services.byID[id] == nil { gone.insert(id) }
        }

        // Workloads lead to the services that select them, list their address or name them.
        var memberEdits: [Service.ID: Set<ObjectKey>] = [:]
        for edit in workloadEdits {
            for workload in [edit.old, edit.new] {
                guard let workload else { continue }
                for address in workload.addresses { affected.formUnion(byAddress[address] ?? []) }
            }
            if edit.key.kind == .pod { affected.formUnion(byPod[edit.key.name] ?? []) }
            let old = edit.old.map {
                oldServices.selectors.services(selecting: $0.labels, namespace: $0.name.namespace)
            }
            let new = edit.new.map { services.selectors.services(selecting: $0.labels, namespace: $0.name.namespace) }
            for id in old ?? [] where !rescannedIDs.contains(id) && !gone.contains(id) {
                affected.insert(id)
                memberEdits[id, default: Set(members[id] ?? [])].remove(edit.key)
            }
            for id in new ?? [] where !rescannedIDs.contains(id) {
                affected.insert(id)
                memberEdits[id, default: Set(members[id] ?? [])].insert(edit.key)
            }
        }
        if !rescannedIDs.isEmpty {
            for id in rescannedIDs { memberEdits[id] = [] }
            if !rescanned.isEmpty {
                let index = SelectorIndex(rescanned)
                workloads.byKey.forEach { key, workload in
                    for id in index.services(selecting: workload.labels, namespace: key.name.namespace) {
                        memberEdits[id, default: []].insert(key)
                    }
                }
            }
        }
        var memberLists: [Service.ID: [ObjectKey]?] = memberEdits.mapValues { $0.isEmpty ? nil : $0.sorted() }
        for id in gone { memberLists[id] = .some(nil) }
        members.apply(memberLists)

        recompute(
            affected.subtracting(gone), gone: gone, table: table, workloads: workloads, maker: maker,
            services: services, reusing: previous)
    }

    private mutating func recompute(
        _ affected: Set<Service.ID>, gone: Set<Service.ID>, table: ObjectTable, workloads: WorkloadIndex,
        maker: WorkloadMaker, services: ServiceIndex, reusing previous: EndpointIndex?
    ) {
        let slices = slices
        let builder = EndpointBuilder(table: table, workloads: workloads, maker: maker) { slices[$0] ?? [] }
        var setEdits: [Service.ID: EndpointSet?] = [:]
        var findingEdits: [Service.ID: [MeshFinding]?] = [:]
        var addressEdits: [String: [Service.ID]] = [:]
        var podEdits: [NamespacedName: [Service.ID]] = [:]
        var referenceEdits: [Service.ID: Set<NamespacedName>?] = [:]

        func replace(_ id: Service.ID, _ old: EndpointSet, with new: EndpointSet) {
            let before = old.addresses
            let after = new.addresses
            for address in before.subtracting(after) {
                addressEdits[address] = (addressEdits[address] ?? byAddress[address] ?? []).filter { $0 != id }
            }
            for address in after.subtracting(before) {
                addressEdits[address] = (addressEdits[address] ?? byAddress[address] ?? []) + [id]
            }
            count += new.count - old.count
        }

        func refer(_ id: Service.ID, to after: Set<NamespacedName>) {
            let before = podReferences[id] ?? []
            if before == after { return }
            for pod in before.subtracting(after) {
                podEdits[pod] = (podEdits[pod] ?? byPod[pod] ?? []).filter { $0 != id }
            }
            for pod in after.subtracting(before) { podEdits[pod] = (podEdits[pod] ?? byPod[pod] ?? []) + [id] }
            referenceEdits[id] = after.isEmpty ? .some(nil) : after
        }

        for id in affected {
            guard let service = services.byID[id] else { continue }
            let result = builder.endpoints(of: service, members: members[id] ?? [])
            refer(id, to: result.podReferences)
            if !result.findings.isEmpty || findingsByService[id] != nil {
                findingEdits[id] = result.findings.isEmpty ? .some(nil) : result.findings
            }
            let old = sets[id] ?? .empty
            if result.set.version == old.version { continue }
            let known = previous?.sets[id]
            let new = known?.version == result.set.version ? known ?? result.set : result.set
            replace(id, old, with: new)
            setEdits[id] = new.byPort.isEmpty ? .some(nil) : new
        }
        for id in gone {
            if let old = sets[id] { replace(id, old, with: .empty) }
            setEdits[id] = .some(nil)
            findingEdits[id] = .some(nil)
            refer(id, to: [])
        }
        sets.apply(setEdits)
        podReferences.apply(referenceEdits)
        byPod.apply(podEdits.mapValues { $0.isEmpty ? nil : $0 })
        findingsByService.apply(findingEdits)
        byAddress.apply(addressEdits.mapValues { $0.isEmpty ? nil : $0 })
    }
}

extension EndpointSet {
    var addresses: Set<String> { Set(byPort.values.lazy.joined().map(\.address)) }

    /// Endpoints of all ports.
    package var count: Int { byPort.values.reduce(0) { $0 + $1.count } }
}

extension ConfigObject {
    /// The service that an EndpointSlice belongs to.
    fileprivate var sliceOwner: NamespacedName? {
        guard case .endpointSlice(let slice) = spec, !slice.serviceName.isEmpty else { return nil }
        return NamespacedName(namespace: metadata.namespace, name: slice.serviceName)
    }
}
