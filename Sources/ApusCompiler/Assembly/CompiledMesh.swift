package import ApusCore
package import ApusMesh
internal import ApusModel
internal import Synchronization

/// A snapshot with the resources that have been compiled from it, class by class, when first asked for.
///
/// Immutable from outside: `view(for:)` gives the same answer whenever it is asked. What was compiled for one snapshot
/// is carried to the next by `updated(to:changes:)`, and brought up to date when it is asked for.
package final class CompiledMesh: Sendable {
    package let snapshot: MeshSnapshot
    package let keySets: KeySets
    private let state: Mutex<State>

    /// Classes, workloads and views that nobody asks for live this many snapshots longer.
    private static let patience: UInt64 = 8

    package convenience init(snapshot: MeshSnapshot, keySets: KeySets = KeySets()) {
        self.init(snapshot: snapshot, keySets: keySets, state: State())
    }

    private init(snapshot: MeshSnapshot, keySets: KeySets, state: State) {
        self.keySets = keySets
        self.snapshot = snapshot
        self.state = Mutex(state)
    }

    private struct Dated<Value: Sendable>: Sendable {
        let value: Value
        var lastUsed: UInt64
    }

    private struct InboundKey: Hashable, Sendable {
        let plan: InboundPlan
        let serverAddresses: [String]?
    }

    private struct ViewKey: Hashable, Sendable {
        let proxyClass: ProxyClass
        let inbound: ObjectIdentifier
        /// Listeners of the class that stand for the proxy itself.
        let hidden: [String]
    }

    private struct Composition: Sendable {
        let view: ResourceView
        let base: ClassResources
        let inbound: InboundResources
    }

    private struct Member: Sendable {
        let snapshot: MeshSnapshot
        let key: ViewKey
        let inboundServices: Set<Service.ID>
        let inbound: InboundResources
    }

    private struct State: Sendable {
        var generation: UInt64 = 0
        var classes: [ProxyClass: Dated<ClassResources>] = [:]
        var inbound: [InboundKey: Dated<InboundResources>] = [:]
        var views: [ViewKey: Dated<Composition>] = [:]
        var members: [Proxy: Dated<Member>] = [:]
        var services = ServiceCache()
        /// Ways to the current snapshot from those that something was compiled for.
        var changes: [ObjectIdentifier: ChangeSet] = [:]
    }

    // MARK: Asking

    /// What one proxy gets.
    package func view(for proxy: Proxy) -> ResourceView {
        state.withLock { state in
            let member = member(proxy, &state)
            return composition(member.key, member.inbound, &state).view
        }
    }

    /// What compiling for the proxy's class found, without the snapshot's own findings.
    package func findings(for proxy: Proxy) -> [Finding] {
        state.withLock { state in
            let member = member(proxy, &state)
            return resources(of: member.key.proxyClass, &state).findings
        }
    }

    /// How many classes, inbound sides and views are held; for metrics.
    package var counts: (classes: Int, inbound: Int, views: Int) {
        state.withLock { ($0.classes.count, $0.inbound.count, $0.views.count) }
    }

    // MARK: Following the mesh

    /// The same for the next snapshot. Nothing is compiled here: each class follows when it is asked for, and only in
    /// what the change can have touched. An equal result is the identical `ResourceSet`.
    package func updated(to snapshot: MeshSnapshot, changes: ChangeSet) -> CompiledMesh {
        if snapshot === self.snapshot { return self }
        var next = state.withLock { $0 }
        next.generation += 1
        next.changes = [ObjectIdentifier(self.snapshot): changes]
        let oldest = next.generation > Self.patience ? next.generation - Self.patience : 0
        next.classes = next.classes.filter { $0.value.lastUsed >= oldest }
        next.views = next.views.filter { $0.value.lastUsed >= oldest }
        next.members = next.members.filter { $0.value.lastUsed >= oldest }
        if changes.meshConfigChanged {
            next.inbound = [:]
            next.services.removeAll()
        } else {
            next.inbound = next.inbound.filter { $0.value.lastUsed >= oldest }
        }
        next.services.advance(unused: Self.patience)
        return CompiledMesh(snapshot: snapshot, keySets: keySets, state: next)
    }

    /// The same mesh with other keys of issuers. What none of them is for stays the same.
    package func updated(keySets: KeySets) -> CompiledMesh {
        if keySets == self.keySets { return self }
        var next = state.withLock { $0 }
        next.generation += 1
        next.members = [:]
        return CompiledMesh(snapshot: snapshot, keySets: keySets, state: next)
    }

    private func changes(since other: MeshSnapshot, _ state: inout State) -> ChangeSet {
        if let known = state.changes[ObjectIdentifier(other)] { return known }
        let changes = snapshot.changes(since: other)
        state.changes[ObjectIdentifier(other)] = changes
        return changes
    }

    // MARK: Parts

    private func resources(of proxyClass: ProxyClass, _ state: inout State) -> ClassResources {
        if let known = state.classes[proxyClass]?.value {
            if known.snapshot === snapshot, known.context.keySets == keySets {
                state.classes[proxyClass]?.lastUsed = state.generation
                return known
            }
            let changes = changes(since: known.snapshot, &state)
            let context = CompileContext(snapshot: snapshot, proxyClass: proxyClass, keySets: keySets)
            let result = known.updated(to: context, changes, &state.services)
            state.classes[proxyClass] = Dated(value: result, lastUsed: state.generation)
            return result
        }
        let context = CompileContext(snapshot: snapshot, proxyClass: proxyClass, keySets: keySets)
        let result = ClassResources.compile(context, &state.services)
        state.classes[proxyClass] = Dated(value: result, lastUsed: state.generation)
        return result
    }

    /// Which class and inbound side a proxy has now.
    private func member(_ proxy: Proxy, _ state: inout State) -> Member {
        if let known = state.members[proxy]?.value {
            if known.snapshot === snapshot {
                state.members[proxy]?.lastUsed = state.generation
                return known
            }
            if isUntouched(known, proxy, changes(since: known.snapshot, &state)) {
                let member = Member(
                    snapshot: snapshot, key: known.key, inboundServices: known.inboundServices,
                    inbound: known.inbound)
                state.members[proxy] = Dated(value: member, lastUsed: state.generation)
                return member
            }
        }
        let described = snapshot.describe(proxy)
        let proxyClass = snapshot.proxyClass(of: proxy)
        let base = resources(of: proxyClass, &state)
        var inbound = InboundResources.none
        var services: Set<Service.ID> = []
        if described.role == .sidecar {
            let scope = snapshot.inbound(of: proxy)
            services = Set(scope.selecting.map(\.service.id))
            let key = InboundKey(
                plan: InboundPlan.make(scope, for: described, base.context, keySets: keySets),
                serverAddresses: described.generator == .grpc ? described.addresses : nil)
            inbound =
                state.inbound[key]?.value
                ?? InboundResources.compile(
                    key.plan, mesh: snapshot.meshConfig, serverAddresses: key.serverAddresses)
            state.inbound[key] = Dated(value: inbound, lastUsed: state.generation)
        }
        let own = Set(described.addresses)
        let hidden = base.podAddresses.filter { own.contains($0.value) }.keys.sorted()
        let member = Member(
            snapshot: snapshot,
            key: ViewKey(proxyClass: proxyClass, inbound: ObjectIdentifier(inbound), hidden: hidden),
            inboundServices: services, inbound: inbound)
        state.members[proxy] = Dated(value: member, lastUsed: state.generation)
        return member
    }

    /// Endpoints moved, but none of this proxy or of a service that it serves: class and inbound side stay.
    private func isUntouched(_ member: Member, _ proxy: Proxy, _ changes: ChangeSet) -> Bool {
        guard changes.services.isEmpty, !changes.meshConfigChanged,
            changes.objects.allSatisfy({ $0.kind == .endpointSlice || $0.kind == .endpoints }),
            changes.endpointServices.isDisjoint(with: member.inboundServices)
        else { return false }
        let own = Set(proxy.addresses)
        return changes.endpointServices.allSatisfy { id in
            guard let service = snapshot.service(host: id.host, namespace: id.namespace) else { return false }
            // A listener per pod comes and goes with the pods, and one of them may be the proxy's own.
            if service.isHeadless { return false }
            // A gateway's ports depend on the services that list it, before and now.
            return [member.snapshot, snapshot].allSatisfy { snapshot in
                snapshot.endpoints(of: service).byPort.values.allSatisfy { endpoints in
                    !endpoints.contains { own.contains($0.address) }
                }
            }
        }
    }

    private func composition(
        _ key: ViewKey, _ inbound: InboundResources, _ state: inout State
    ) -> Composition {
        let base = resources(of: key.proxyClass, &state)
        let known = state.views[key]?.value
        if let known, known.base === base {
            state.views[key]?.lastUsed = state.generation
            return known
        }
        let hidden = Set(key.hidden)
        // The workload's own part is the same as before, since the key of a view names it.
        let view = ResourceView(
            clusters: .overlay(
                on: base.clusters, own: inbound.clusters, hidden: [],
                after: known.map { ($0.view.clusters, $0.base.clusters) }),
            endpoints: base.endpoints,
            listeners: .overlay(
                on: base.listeners, own: inbound.listeners, hidden: hidden,
                after: known.map { ($0.view.listeners, $0.base.listeners) }),
            routes: base.routes,
            secrets: base.secrets)
        let result = Composition(view: view, base: base, inbound: inbound)
        state.views[key] = Dated(value: result, lastUsed: state.generation)
        return result
    }
}
