internal import ApusAPI
internal import ArgumentParser

@main
struct Apus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "A service mesh from a folder of Istio manifests: control plane and command line.",
        version: ProgramVersion.text,
        subcommands: [
            Serve.self, Check.self, Compile.self, Bootstrap.self, ProxyStatus.self, ProxyConfig.self, History.self,
            Token.self, CertificateAuthorityCommand.self,
            Version.self, Completion.self,
        ])

    static func main() async {
        APIRegistry.registerAll()
        await Program.run(Self.self)
    }
}
