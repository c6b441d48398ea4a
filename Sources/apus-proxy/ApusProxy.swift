internal import ApusAPI
internal import ArgumentParser
internal import Foundation

@main
struct ApusProxy: AsyncParsableCommand {
    enum Role: String, ExpressibleByArgument, CaseIterable { case sidecar, gateway }
    enum Interception: String, ExpressibleByArgument, CaseIterable { case redirect, none }
    enum Mode: String, ExpressibleByArgument, CaseIterable { case serve, validate }

    static let configuration = CommandConfiguration(
        commandName: "apus-proxy",
        abstract: "Apus's sidecar and gateway, fed by a control plane or by a bootstrap file.",
        discussion: """
            Every option can also be given in the environment as APUS_ and its name in capitals. POD_NAME,
            POD_NAMESPACE, SERVICE_ACCOUNT, INSTANCE_IP, TRUST_DOMAIN, CA_ADDR, PROXY_CONFIG and ISTIO_META_* are read
            as Istio's proxy reads them.
            """,
        version: ProgramVersion.text)

    @Option(help: ArgumentHelp("The control plane's xDS address.", valueName: "host:port"))
    var controlPlane: String?

    @Option(help: "Name of this workload (POD_NAME).")
    var name: String?

    @Option(help: "Namespace of this workload (POD_NAMESPACE).")
    var namespace: String?

    @Option(help: "Service account of this workload (SERVICE_ACCOUNT).")
    var serviceAccount: String?

    @Option(help: ArgumentHelp("A label of the workload; may be repeated.", valueName: "k=v"))
    var label: [String] = []

    @Option(help: ArgumentHelp("The workload's address (INSTANCE_IP).", valueName: "addr"))
    var ip: String?

    @Option(help: "sidecar or gateway.")
    var role = Role.sidecar

    @Flag(help: "Speak to the control plane without TLS.")
    var plaintext = false

    @Option(help: ArgumentHelp("Root certificates that vouch for the control plane.", valueName: "file"))
    var rootCert: String?

    @Option(help: ArgumentHelp("A token that proves who this workload is.", valueName: "file"))
    var tokenFile: String?

    @Option(
        name: [.customLong("config"), .customShort("c")],
        help: ArgumentHelp("A bootstrap, as Envoy's.", valueName: "file"))
    var configFile: String?

    @Option(help: "serve, or validate the bootstrap and exit.")
    var mode = Mode.serve

    @Option(
        help: """
            Port of the admin pages, on loopback; 0 picks a free one (default: 15000; with --config, what the bootstrap \
            says).
            """)
    var adminPort: Int?

    @Option(
        help: ArgumentHelp("Where to write the admin pages' address once they are served.", valueName: "file"))
    var adminAddressPath: String?

    @Option(help: "Port of /stats/prometheus; 0 picks a free one (default: 15090; with --config, none).")
    var prometheusPort: Int?

    @Option(help: "Port of /healthz/ready; 0 picks a free one (default: 15021; with --config, none).")
    var healthPort: Int?

    @Option(help: "Event loops (default: the cores).")
    var concurrency: Int?

    @Option(help: ArgumentHelp("How long open requests may finish after SIGTERM.", valueName: "seconds"))
    var drainTime = 5

    @Option(help: "redirect: connections are redirected here by the firewall. none: they are not.")
    var intercept = Interception.none

    @Option(help: ArgumentHelp("Folder for the last acknowledged configuration.", valueName: "dir"))
    var state: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    @Option(help: "text or json.")
    var logFormat = "text"

    /// The options that the environment may give.
    static let environmentOptions: [EnvironmentOption] = [
        .value("control-plane"), .value("name"), .value("namespace"), .value("service-account"), .values("label"),
        .value("ip"), .value("role"), .flag("plaintext"), .value("root-cert"), .value("token-file"), .value("config"),
        .value("mode"), .value("admin-port"), .value("admin-address-path"), .value("prometheus-port"),
        .value("health-port"),
        .value("concurrency"), .value("drain-time"), .value("intercept"), .value("state"), .value("log-level"),
        .value("log-format"),
    ]

    static func main() async {
        APIRegistry.registerAll()
        await Program.run(Self.self)
    }

    mutating func run() async throws {
        if mode == .validate, configFile == nil {
            throw ProgramFailure(ExitStatus.wrongUsage, "apus-proxy: --mode validate needs --config")
        }
        for (option, isGiven) in [
            ("--control-plane", controlPlane != nil), ("--plaintext", plaintext), ("--root-cert", rootCert != nil),
            ("--token-file", tokenFile != nil),
        ] where isGiven && configFile != nil {
            throw ProgramFailure(
                ExitStatus.wrongUsage, "apus-proxy: \(option) has no meaning with --config; give one of them")
        }
        let bootstrap = try configFile.map { try BootstrapFile.read($0) }
        if mode == .validate, let configFile {
            print("configuration '\(configFile)' OK")
            return
        }
        let settings = try ProxySettings(
            self, bootstrap: bootstrap, environment: ProcessInfo.processInfo.environment)
        try await ProxyProgram(settings).run()
    }
}
