internal import ApusControlPlane
internal import ApusCore
internal import ArgumentParser
internal import Foundation
internal import Logging

struct Serve: AsyncParsableCommand, EnvironmentConfigured {
    enum LogFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration(
        abstract: "The control plane: watches folders of manifests and serves them as xDS.")

    @Argument(help: "Folders of manifests; never written to.")
    var folders: [String]

    @Option(help: ArgumentHelp("Where keys, history and run.json are kept.", valueName: "dir"))
    var state: String?

    @Option(help: "The address every port is bound on.")
    var address = "127.0.0.1"

    @Option(help: "xDS without TLS; 0 picks a free port.")
    var xdsPort = 15010

    @Option(help: "xDS and the certificate service over TLS, for callers who prove who they are; 0 picks a free port.")
    var securePort = 15012

    @Option(
        help: ArgumentHelp(
            "A certificate authority made elsewhere: ca-cert.pem, ca-key.pem, root-cert.pem, cert-chain.pem.",
            valueName: "dir"))
    var caDir: String?

    @Option(
        help: ArgumentHelp(
            "A name or address for the certificate of the secure port, may be repeated.",
            valueName: "name"))
    var serverName: [String] = []

    @Option(
        help: ArgumentHelp(
            "A host (or HOST:PORT) whose keys for tokens may be fetched over http and at internal addresses, may be repeated.",
            valueName: "host"))
    var jwksAllow: [String] = []

    @Option(
        help: ArgumentHelp(
            "CA certificates that fetching keys for tokens believes beside those of the system.", valueName: "file"))
    var jwksCa: String?

    @Option(help: "/ready, /metrics, /version, /debug/*.")
    var httpPort = 15014

    @Flag(help: "Serve plaintext xDS on an address that is not loopback.")
    var allowPlaintext = false

    @Option(help: "Quiet time in milliseconds before a change is compiled.")
    var debounce = 10

    @OptionGroup var mesh: MeshArguments

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "info"

    @Option(help: "text or json.")
    var logFormat = LogFormat.text

    static let environmentOptions: [EnvironmentOption] =
        [
            .value("state"), .value("address"), .value("xds-port"), .value("secure-port"), .value("http-port"),
            .value("ca-dir"),
            .values("server-name"), .values("jwks-allow"), .value("jwks-ca"),
            .flag("allow-plaintext"), .value("debounce"), .value("log-level"), .value("log-format"),
        ] + MeshArguments.environmentOptions

    func validate() throws {
        for (name, port) in [("--xds-port", xdsPort), ("--secure-port", securePort), ("--http-port", httpPort)] {
            guard (0...65535).contains(port) else { throw ValidationError("\(name) must be 0 to 65535, not \(port)") }
        }
        guard (0...60_000).contains(debounce) else { throw ValidationError("--debounce must be 0 to 60000") }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("--log-level \(logLevel) is unknown")
        }
        guard let ip = IPAddress(address) else {
            throw ValidationError("--address must be an IP address, not \(address)")
        }
        guard ip.isLoopback || allowPlaintext else {
            throw ValidationError(
                "port \(xdsPort) has no TLS and no proof of identity; on \(address) it needs --allow-plaintext")
        }
    }

    func run() async throws {
        let level = Logger.Level(rawValue: logLevel) ?? .info
        let format = logFormat
        LoggingSystem.bootstrap { LineLogHandler(label: $0, level: level, isJSON: format == .json) }
        let logger = Logger(label: "apus")
        for folder in folders where !FileManager.default.fileExists(atPath: folder) {
            throw ProgramFailure(ExitStatus.badInput, "there is no folder \(folder)")
        }
        var options = ControlPlane.Options()
        options.folders = folders
        options.state = state ?? StateFolder.defaultPath(ProcessInfo.processInfo.environment)
        options.address = address
        options.xdsPort = xdsPort
        options.httpPort = httpPort
        options.securePort = securePort
        options.authorityFolder = caDir
        options.serverNames = serverName
        options.keyHosts = jwksAllow
        options.keyRoots = jwksCa
        options.debounce = .milliseconds(debounce)
        options.mesh = try mesh.options()
        options.version = ProgramVersion.text
        do {
            try await ControlPlane(options: options, logger: logger).run { await StopSignal.wait() }
        } catch let failure as ControlPlane.StartFailure {
            throw ProgramFailure(ExitStatus.badConfiguration, failure.description)
        }
    }
}
