internal import ApusControlPlane
internal import ArgumentParser

/// Options that say which mesh the manifests describe.
struct MeshArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Istio's MeshConfig; also read from a ConfigMap named istio.", valueName: "file"))
    var meshConfig: String?

    @Option(help: "The namespace whose policies are mesh-wide.")
    var rootNamespace = "istio-system"

    @Option(help: "The trust domain of identities (default: the mesh config's, cluster.local).")
    var trustDomain: String?

    static let environmentOptions: [EnvironmentOption] = [
        .value("mesh-config"), .value("root-namespace"), .value("trust-domain"),
    ]

    func options() throws -> MeshOptions {
        var options = MeshOptions()
        options.rootNamespace = rootNamespace
        options.trustDomain = trustDomain
        if let meshConfig {
            guard let bytes = FolderScan.read(meshConfig, limit: 8 << 20) else {
                throw ProgramFailure(ExitStatus.badConfiguration, "the mesh config \(meshConfig) cannot be read")
            }
            options.meshConfigFile = FileChange(path: meshConfig, content: bytes)
        }
        return options
    }
}

enum Folders {
    /// All folders must be there: a misspelt name must not look like an empty mesh.
    static func requirePresent(_ missing: [String]) throws {
        guard missing.isEmpty else {
            throw ProgramFailure(
                ExitStatus.badInput,
                missing.map { "there is no folder or file \($0)" }.joined(separator: "\n"))
        }
    }
}
