internal import ApusAPI
internal import ApusCompiler
internal import ApusCore
internal import ApusManifest
internal import ApusMesh
internal import ApusModel

/// The whole way from the text of a manifest to resources in a proxy, with everything that must hold on it.
///
/// The input is taken as an edit to `FlowBase`; its resources are compiled by following the edit and from nothing, and
/// both ways must give the same bytes.
package final class FlowCheck: Sendable {
    package struct Outcome: Sendable {
        /// Rules that do not hold, one sentence each.
        package var problems: [String] = []
        /// What this input reached (findings, fields of resources, refusals), as digests: to tell new from known.
        package var features: Set<UInt64> = []
        /// Why the proxy refused resources.
        package var refusals: [String] = []
        package var objects = 0
        package var findings = 0
        package var resources = 0
        /// Of all findings and resource versions: equal in every process.
        package var digest: UInt64 = 0
    }

    private let baseObjects: [ConfigObject]
    private let baseSnapshot: MeshSnapshot
    private let baseMesh: CompiledMesh
    private let baseViews: [ResourceView]
    /// The proxies with the base in them, before the edit.
    private let baseEngines: [EngineCheck]

    package init() {
        APIRegistry.registerAll()
        let file = ManifestReader.read(file: "base.yaml", text: Array(FlowBase.manifest.utf8))
        baseObjects = file.objects
        baseSnapshot = MeshSnapshot.make(objects: file.objects, meshConfig: Self.meshConfig([]).config)
        let mesh = CompiledMesh(snapshot: baseSnapshot)
        baseMesh = mesh
        let views = FlowBase.proxies.map { mesh.view(for: $0) }
        baseViews = views
        baseEngines = views.indices.map { index in
            var engine = EngineCheck()
            if FlowBase.proxies[index].generator == .envoy { engine.run(views[index]) }
            return engine
        }
    }

    /// What is wrong with the base itself: nothing, or no result means anything.
    package var baseProblems: [String] {
        let file = ManifestReader.read(file: "base.yaml", text: Array(FlowBase.manifest.utf8))
        return file.findings.filter { $0.severity == .error }.map(\.message)
            + baseViews.flatMap { ViewCheck.problems(of: $0, in: baseSnapshot) }
            + baseEngines.flatMap(\.problems)
    }

    private static func meshConfig(_ objects: [ConfigObject]) -> (config: MeshConfig, findings: [Finding]) {
        let key = ObjectKey(kind: .configMap, name: NamespacedName(namespace: "istio-system", name: "istio"))
        let result = objects.first { $0.key == key }.flatMap(MeshConfigReader.read(configMap:))
        var config = result?.config ?? MeshConfig()
        config.rootNamespace = "istio-system"
        return (config, result?.findings ?? [])
    }

    /// - Parameter thorough: every proxy's resources are printed too, not just one's.
    package func run(_ bytes: [UInt8], thorough: Bool) -> Outcome {
        var outcome = Outcome()
        let file = ManifestReader.read(file: "input.yaml", text: bytes)
        // In one file the first of two objects with one key is in force.
        var seen: Set<ObjectKey> = []
        let objects = file.objects.filter { seen.insert($0.key).inserted }
        let mesh = Self.meshConfig(objects)
        _ = MeshConfigReader.read(file: "mesh.yaml", text: bytes)
        outcome.objects = objects.count

        let kept = baseObjects.filter { !seen.contains($0.key) }
        var findings = file.findings + mesh.findings
        findings += FolderAnalysis.findings(objects: kept + file.objects, meshConfig: mesh.config)
        check(findings, bytes, &outcome)

        // Followed, and made from nothing in the opposite order.
        let followed =
            mesh.config == baseSnapshot.meshConfig
            ? baseSnapshot.updated(changed: objects)
            : MeshSnapshot.make(objects: kept + objects, meshConfig: mesh.config, previous: baseSnapshot)
        let fresh = MeshSnapshot.make(objects: (kept + objects).reversed(), meshConfig: mesh.config)
        if followed.findings != fresh.findings {
            outcome.problems.append("findings of merging depend on the way to the snapshot")
        }
        let followedMesh = baseMesh.updated(to: followed, changes: followed.changes(since: baseSnapshot))
        let freshMesh = CompiledMesh(snapshot: fresh)

        var digest = XXHash64.hash("\(findings.map { "\($0)" }.sorted())")
        var views: [ResourceView] = []
        let proxies = FlowBase.proxies + FlowBase.proxies(of: objects)
        for proxy in proxies {
            let view = followedMesh.view(for: proxy)
            let other = freshMesh.view(for: proxy)
            views.append(view)
            for type in ResourceType.allCases {
                outcome.resources += view[type].byName.count
                digest = XXHash64.hash("\(view[type].version)", seed: digest)
                if let difference = Self.difference(view[type], other[type]) {
                    outcome.problems.append("\(proxy.id): following and making anew differ in \(type) \(difference)")
                }
            }
            if followedMesh.findings(for: proxy) != freshMesh.findings(for: proxy) {
                outcome.problems.append("\(proxy.id): findings of compiling depend on the way to the snapshot")
            }
            outcome.problems += ViewCheck.problems(of: view, in: followed).map { "\(proxy.id): \($0)" }
        }
        outcome.digest = digest

        // One engine per proxy: it has the base already, and gets the edit.
        for (index, proxy) in proxies.enumerated() where proxy.generator == .envoy {
            var engine = index < baseEngines.count ? baseEngines[index] : EngineCheck()
            engine.run(views[index])
            outcome.problems += engine.problems.map { "\(proxy.id): \($0)" }
            outcome.refusals += engine.refusals
        }
        print(views, bytes, thorough, &outcome)
        goBack(from: followed, followedMesh, objects, &outcome)
        for refusal in outcome.refusals { outcome.features.insert(Self.digest(refusal)) }
        return outcome
    }

    // MARK: Parts

    private func check(_ findings: [Finding], _ bytes: [UInt8], _ outcome: inout Outcome) {
        outcome.findings = findings.count
        let lines = bytes.reduce(1) { $1 == 10 || $1 == 13 ? $0 + 1 : $0 }
        for finding in findings {
            let position = finding.location.position
            if finding.location.file == "input.yaml", !(1...(lines + 1)).contains(position.line) || position.column < 1
            {
                outcome.problems.append("a finding is outside of the file: \(finding.location) \(finding.message)")
            }
            if finding.message.isEmpty { outcome.problems.append("\(finding.code) says nothing") }
            outcome.features.insert(Self.digest("\(finding.code) \(finding.field ?? "")"))
        }
        for format in FindingFormat.allCases { _ = format.render(findings) }
    }

    private static func difference(_ left: ResourceSet, _ right: ResourceSet) -> String? {
        if left.version == right.version { return nil }
        let diff = left.diff(since: right)
        return "changed \(diff.changed.prefix(3).map(\.name)), removed \(diff.removed.prefix(3))"
    }

    /// Prints what the edit changed (thorough: everything); the fields seen are features.
    private func print(_ views: [ResourceView], _ bytes: [UInt8], _ thorough: Bool, _ outcome: inout Outcome) {
        for (index, view) in views.enumerated() {
            guard thorough || index == bytes.count % views.count else { continue }
            var shown = view
            if !thorough, index < baseViews.count {
                for type in ResourceType.allCases {
                    shown[type] = ResourceSet(
                        type: type, resources: view[type].diff(since: baseViews[index][type]).changed)
                }
            }
            let printed = ViewCheck.textProblems(of: shown)
            outcome.problems += printed.problems
            if thorough { _ = CompileOutput.yaml(view: shown) }
            Self.collectKeys(printed.text, into: &outcome.features)
        }
    }

    /// Taking the edit back must lead to the very resources of the base.
    private func goBack(
        from snapshot: MeshSnapshot, _ mesh: CompiledMesh, _ objects: [ConfigObject], _ outcome: inout Outcome
    ) {
        guard snapshot.meshConfig == baseSnapshot.meshConfig else { return }
        let baseKeys = Set(baseObjects.map(\.key))
        let edited = Set(objects.map(\.key))
        let back = snapshot.updated(
            changed: baseObjects.filter { edited.contains($0.key) },
            removed: objects.map(\.key).filter { !baseKeys.contains($0) })
        let backMesh = mesh.updated(to: back, changes: back.changes(since: snapshot))
        for (proxy, base) in zip(FlowBase.proxies, baseViews) {
            let view = backMesh.view(for: proxy)
            for type in ResourceType.allCases {
                if let difference = Self.difference(view[type], base[type]) {
                    outcome.problems.append("\(proxy.id): going back does not restore \(type) \(difference)")
                }
            }
        }
    }

    // MARK: Features

    /// Digits do not make a thing new.
    private static func digest(_ text: String) -> UInt64 {
        XXHash64.hash(Array(text.utf8.filter { !(0x30...0x39).contains($0) }.prefix(200)))
    }

    /// Pairs of neighbouring keys: a cheap measure of which fields are set, and where.
    private static func collectKeys(_ json: String, into features: inout Set<UInt64>) {
        var last: UInt64 = 0
        let bytes = Array(json.utf8)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\"") else {
                index += 1
                continue
            }
            let start = index + 1
            index = start
            while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
            }
            let end = min(index, bytes.count)
            index += 1
            if index < bytes.count, bytes[index] == UInt8(ascii: ":") {
                let key = XXHash64.hash(Array(bytes[start..<end]))
                features.insert(key ^ (last &* 3))
                last = key
            }
        }
    }
}
