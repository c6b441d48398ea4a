package import ApusCore
package import ApusMesh
internal import ApusModel

/// What compiling says about a folder as a whole, before any proxy connects: listeners and servers that collide
/// (APUS0401 to APUS0403), and names that lead nowhere (APUS0404, APUS0405).
package enum FolderCompileFindings {
    /// Beyond these, classes differ from those before in little that could be wrong.
    private static let mostClasses = 64

    /// A class costs as much as it has services, and a check should take a second, not ten: folders with thousands of
    /// services are looked at through fewer classes.
    private static func mostClasses(for services: Int) -> Int { min(mostClasses, max(4, 13_000 / max(services, 1))) }

    /// Compiles for a proxy of every class that the folder's own workloads have: gateways first, then sidecars, then
    /// a sidecar without labels in each namespace that has services. At most 64 classes, fewer (four at least) with more
    /// than 200 services.
    ///
    /// - Returns: each fault once, however many classes meet it; in the order of files and lines. Without the
    ///   snapshot's own findings.
    package static func findings(in snapshot: MeshSnapshot) -> [Finding] {
        let mesh = CompiledMesh(snapshot: snapshot)
        var seen: Set<Fault> = []
        var result: [Finding] = []
        for proxy in proxies(of: snapshot) {
            let found = mesh.findings(for: proxy) + ReferenceCheck.findings(of: mesh.view(for: proxy), in: snapshot)
            for finding in found where seen.insert(Fault(finding)).inserted { result.append(finding) }
        }
        result += UnusableKeys.findings(in: snapshot)
        return result.sorted { left, right in
            let (one, other) = (left.location, right.location)
            return (one.file, one.position, left.code, left.message)
                < (other.file, other.position, right.code, right.message)
        }
    }

    /// What makes two findings the same for a reader. Messages name the class's namespace or listener, so they count
    /// only where no field is known.
    private struct Fault: Hashable {
        let code: String
        let location: SourceLocation
        let object: String?
        let place: String

        init(_ finding: Finding) {
            code = finding.code
            location = finding.location
            object = finding.object
            place = finding.field ?? finding.message
        }
    }

    // MARK: Proxies

    /// One proxy per class, in the order in which they are compiled for.
    package static func proxies(of snapshot: MeshSnapshot) -> [Proxy] {
        let workloads = workloads(of: snapshot)
        let selectors = Set(
            snapshot.objects(of: .gateway).compactMap { object -> [String: String]? in
                guard case .gateway(let gateway) = object.spec else { return nil }
                return gateway.selector
            })
        let written = selectors.filter { !$0.isEmpty }.map(LabelSelector.init)

        let most = mostClasses(for: snapshot.services.count)
        var result: [Proxy] = []
        var classes: Set<ProxyClass> = []
        func add(_ proxy: Proxy) {
            guard result.count < most, classes.insert(snapshot.proxyClass(of: proxy)).inserted else { return }
            result.append(proxy)
        }

        for workload in workloads where written.contains(where: { $0.selects(workload.labels) }) {
            var router = workload
            router.role = .router
            add(router)
        }
        for object in snapshot.objects(of: .gateway) {
            guard case .gateway(let gateway) = object.spec else { continue }
            let selector = LabelSelector(gateway.selector)
            if result.contains(where: { selector.selects($0.labels) }) { continue }
            // Nobody runs it yet: a router with just the labels that it asks for.
            let namespace = object.metadata.namespace
            add(
                Proxy(
                    id: "\(object.metadata.name).\(namespace)", role: .router, namespace: namespace,
                    labels: gateway.selector, hasIdentity: true))
        }

        var withPlain: Set<String> = []
        for workload in workloads where !written.contains(where: { $0.selects(workload.labels) }) {
            if snapshot.proxyClass(of: workload).labels.isEmpty { withPlain.insert(workload.namespace) }
            add(workload)
        }
        for namespace in Set(snapshot.services.map(\.namespace)).subtracting(withPlain).sorted() {
            add(Proxy(id: "sidecar.\(namespace)", namespace: namespace, hasIdentity: true))
        }
        return result
    }

    /// Everything in the folder that may have a proxy, as a sidecar.
    private static func workloads(of snapshot: MeshSnapshot) -> [Proxy] {
        var result: [Proxy] = []
        for object in snapshot.objects(of: .pod) {
            guard case .pod(let pod) = object.spec, pod.phase != "Succeeded", pod.phase != "Failed" else { continue }
            // On the host's network a pod has the node's own traffic before it, and no sidecar.
            if pod.hostNetwork { continue }
            result.append(proxy(object, addresses: pod.podIPs, labels: object.metadata.labels))
        }
        for object in snapshot.objects(of: .workloadEntry) {
            guard case .workloadEntry(let entry) = object.spec else { continue }
            result.append(
                proxy(
                    object, addresses: IPAddress(entry.address) == nil ? [] : [entry.address],
                    labels: object.metadata.labels.merging(entry.labels) { _, spec in spec }))
        }
        for object in snapshot.objects(of: .workloadGroup) {
            guard case .workloadGroup(let group) = object.spec else { continue }
            result.append(
                proxy(object, addresses: [], labels: group.labels.merging(group.template.labels) { _, spec in spec }))
        }
        return result
    }

    private static func proxy(_ object: ConfigObject, addresses: [String], labels: [String: String]) -> Proxy {
        Proxy(
            id: "\(object.metadata.name).\(object.metadata.namespace)", namespace: object.metadata.namespace,
            addresses: addresses, labels: labels, hasIdentity: true)
    }
}
