internal import ApusCore
internal import ApusModel
internal import ApusYAML

/// The whole way from bytes to findings, for fuzzing: whatever the bytes are, it returns.
package enum ManifestFuzz {
    package static func run(_ bytes: [UInt8]) {
        let file = ManifestReader.read(file: "fuzz.yaml", text: bytes)
        var config = MeshConfig()
        for object in file.objects {
            if let result = MeshConfigReader.read(configMap: object), let read = result.config { config = read }
        }
        let mesh = MeshConfigReader.read(file: "mesh.yaml", text: bytes)
        var findings = file.findings + mesh.findings
        findings += FolderAnalysis.findings(objects: file.objects, meshConfig: mesh.config ?? config)
        for format in FindingFormat.allCases { _ = format.render(findings) }
    }
}
