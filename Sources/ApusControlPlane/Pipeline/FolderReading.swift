package import ApusCore
package import ApusManifest
package import ApusMesh
package import ApusModel

/// Settings of a mesh that do not come from its manifests.
package struct MeshOptions: Sendable {
    /// `--mesh-config`: the path and what was read from it.
    package var meshConfigFile: FileChange?
    package var rootNamespace = "istio-system"
    package var trustDomain: String?

    package init() {}
}

/// Reading a whole folder once, as `check` and `compile` do; `serve` reads the same way, file by file.
package struct FolderReading: Sendable {
    package let table: ObjectTable
    package let meshConfig: MeshConfig
    package let snapshot: MeshSnapshot
    /// Roots that are not there.
    package let missing: [String]
    package let findings: [Finding]

    package static func read(_ roots: [String], options: MeshOptions = MeshOptions()) -> FolderReading {
        let listing = FolderScan.list(roots)
        let paths = listing.files.keys.sorted()
        let changes = Parallel.map(paths) { path in
            FileChange(path: path, content: FolderScan.read(path, limit: 8 << 20))
        }
        var table = ObjectTable()
        _ = table.apply(parse(changes))
        let mesh = meshConfig(table, options)
        let snapshot = MeshSnapshot.make(objects: table.inForce, meshConfig: mesh.config)
        return FolderReading(
            table: table, meshConfig: mesh.config, snapshot: snapshot, missing: listing.missingRoots,
            findings: findings(table, mesh: mesh.config, meshFindings: mesh.findings, snapshot: snapshot))
    }

    /// Every finding: of the files, of the mesh config, of the objects together, of what merging dropped. Sorted by
    /// place, each once.
    package static func findings(
        _ table: ObjectTable, mesh: MeshConfig, meshFindings: [Finding], snapshot: MeshSnapshot
    ) -> [Finding] {
        let all =
            table.findings + meshFindings
            + FolderAnalysis.findings(objects: table.written, meshConfig: mesh) + snapshot.findings
        return Array(Set(all)).sorted {
            ($0.location, $0.severity.rawValue, $0.code, $0.message) < (
                $1.location, $1.severity.rawValue, $1.code, $1.message
            )
        }
    }

    /// Parses on all cores; the order of the results is the order of the changes.
    package static func parse(_ changes: [FileChange]) -> [(path: String, file: ManifestFile?)] {
        Parallel.map(changes) { change in
            (change.path, change.content.map { ManifestReader.read(file: change.path, text: $0) })
        }
    }

    /// The mesh config in force: the file, else the ConfigMap `istio` of the root namespace, else Istio's defaults. With
    /// an error in it (`isValid` is false) the defaults, or `previous`, stay.
    package static func meshConfig(
        _ table: ObjectTable, _ options: MeshOptions, previous: MeshConfig? = nil
    ) -> (config: MeshConfig, findings: [Finding], isValid: Bool) {
        var result: MeshConfigReader.Result?
        if let file = options.meshConfigFile {
            result = MeshConfigReader.read(file: file.path, text: file.content ?? [])
        } else {
            result = table.object(meshConfigMap(options)).flatMap(MeshConfigReader.read(configMap:))
        }
        let isValid = result == nil || result?.config != nil
        var config = result?.config ?? (isValid ? MeshConfig() : previous ?? MeshConfig())
        // The command line says it for everything; a mesh config that says otherwise is for another mesh.
        config.rootNamespace = options.rootNamespace
        if let trustDomain = options.trustDomain { config.trustDomain = trustDomain }
        return (config, result?.findings ?? [], isValid)
    }

    /// The ConfigMap that holds the mesh config if no file is named.
    static func meshConfigMap(_ options: MeshOptions) -> ObjectKey {
        ObjectKey(kind: .configMap, name: NamespacedName(namespace: options.rootNamespace, name: "istio"))
    }
}
