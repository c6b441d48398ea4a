internal import ApusCompiler
internal import ApusControlPlane
internal import ApusCore
internal import ApusManifest
internal import ApusMesh
internal import ArgumentParser

struct Compile: AsyncParsableCommand, EnvironmentConfigured {
    enum Output: String, ExpressibleByArgument, CaseIterable { case json, yaml }
    enum TypeChoice: String, ExpressibleByArgument, CaseIterable { case lds, rds, cds, eds, sds, all }

    static let configuration = CommandConfiguration(
        abstract: "Prints the xDS resources that one proxy would get; no server needed.")

    @Argument(help: "Folders (or files) of manifests.")
    var folders: [String]

    @OptionGroup var proxy: ProxyArguments

    @Option(help: "lds, rds, cds, eds, sds or all.")
    var type = TypeChoice.all

    @Option(name: [.short, .long], help: "json or yaml.")
    var output = Output.json

    @OptionGroup var mesh: MeshArguments

    static let environmentOptions: [EnvironmentOption] =
        [.value("type"), .value("output")] + ProxyArguments.environmentOptions + MeshArguments.environmentOptions

    func run() async throws {
        let described = try proxy.described()
        let reading = FolderReading.read(folders, options: try mesh.options())
        try Folders.requirePresent(reading.missing)
        // What is left out must not be missed in silence.
        for finding in reading.findings where finding.severity == .error {
            Program.complain(FindingFormat.text.render([finding]))
        }
        let view = ResourceCompiler.view(for: described, in: reading.snapshot)
        let types: Set<ResourceType> =
            switch type {
            case .lds: [.listener]
            case .rds: [.route]
            case .cds: [.cluster]
            case .eds: [.endpoints]
            case .sds: [.secret]
            case .all: Set(ResourceType.allCases)
            }
        Program.say(
            output == .json
                ? CompileOutput.json(view: view, types: types) : CompileOutput.yaml(view: view, types: types))
    }
}
