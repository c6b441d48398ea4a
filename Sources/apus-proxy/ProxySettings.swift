internal import ApusBootstrap
internal import ApusCore
internal import Foundation
internal import Logging

/// Options, environment and defaults, made into one set of facts.
struct ProxySettings: Sendable {
    let host: String
    let port: Int
    let name: String
    let namespace: String
    let serviceAccount: String
    let address: String
    let labels: [String: String]
    let isGateway: Bool
    let plaintext: Bool
    let rootCertificates: String?
    let tokenFile: String?
    /// What a file says of this proxy; nil: a control plane says it all.
    let bootstrap: Bootstrap?
    let adminAddress: String
    /// nil: the pages are not served.
    let adminPort: Int?
    let adminAddressPath: String?
    let prometheusPort: Int?
    let healthPort: Int?
    let concurrency: Int
    let drainTime: Int
    let isIntercepting: Bool
    /// nil: nothing is kept.
    let stateFolder: String?
    let logLevel: Logger.Level
    let logsJSON: Bool
    let trustDomain: String
    /// Node metadata as Istio names it; values are JSON texts where they are not plain strings.
    let metadata: [String: String]

    init(_ options: ApusProxy, bootstrap: Bootstrap?, environment: [String: String]) throws {
        func present(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        func refuse(_ message: String) -> ProgramFailure {
            ProgramFailure(ExitStatus.wrongUsage, "apus-proxy: \(message)")
        }
        self.bootstrap = bootstrap
        if bootstrap == nil {
            guard let target = options.controlPlane ?? present("CA_ADDR") else {
                throw refuse("--control-plane or --config is missing")
            }
            (host, port) = try Self.hostAndPort(target, defaultPort: options.plaintext ? 15010 : 15012)
        } else {
            (host, port) = ("", 0)
        }
        let name = options.name ?? present("POD_NAME") ?? ""
        guard bootstrap != nil || !name.isEmpty else { throw refuse("--name is missing") }
        self.name = name
        namespace = options.namespace ?? present("POD_NAMESPACE") ?? "default"
        serviceAccount = options.serviceAccount ?? present("SERVICE_ACCOUNT") ?? "default"
        address = options.ip ?? present("INSTANCE_IP") ?? "127.0.0.1"
        guard IPAddress(address) != nil else { throw refuse("--ip must be an address, and \(address) is not") }
        var labels: [String: String] = [:]
        for pair in options.label {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else { throw refuse("--label must be k=v, and \(pair) is not") }
            labels[String(sides[0])] = String(sides[1])
        }
        self.labels = labels
        isGateway = options.role == .gateway
        guard bootstrap != nil || options.plaintext != (options.rootCert != nil) else {
            throw refuse(
                "give either --plaintext, or --root-cert FILE (`apus ca show -o pem`) and for the first start "
                    + "--token-file FILE (`apus token create`)")
        }
        plaintext = options.plaintext
        rootCertificates = options.rootCert
        tokenFile = options.tokenFile
        for (flag, port) in [
            ("--admin-port", options.adminPort), ("--prometheus-port", options.prometheusPort),
            ("--health-port", options.healthPort),
        ] {
            if let port, !(0...65535).contains(port) { throw refuse("\(flag) must be a port, and \(port) is not") }
        }
        if let bootstrap {
            // The bootstrap decides what is bound, as with Envoy; an option may add to it.
            adminAddress = options.adminPort == nil ? bootstrap.admin?.address.description ?? "127.0.0.1" : "127.0.0.1"
            adminPort = options.adminPort ?? bootstrap.admin?.port
            prometheusPort = options.prometheusPort
            healthPort = options.healthPort
        } else {
            adminAddress = "127.0.0.1"
            adminPort = options.adminPort ?? 15000
            prometheusPort = options.prometheusPort ?? 15090
            healthPort = options.healthPort ?? 15021
        }
        adminAddressPath = options.adminAddressPath
        let cores = ProcessInfo.processInfo.activeProcessorCount
        guard (options.concurrency ?? 1) > 0, (options.concurrency ?? 1) <= 1024 else {
            throw refuse("--concurrency must be at least 1")
        }
        concurrency = options.concurrency ?? cores
        guard options.drainTime >= 0 else { throw refuse("--drain-time must not be negative") }
        drainTime = options.drainTime
        isIntercepting = options.intercept == .redirect
        stateFolder =
            options.state ?? (bootstrap == nil ? Self.defaultStateFolder(environment, "\(name).\(namespace)") : nil)
        guard let level = Logger.Level(rawValue: options.logLevel.lowercased()) else {
            throw refuse("--log-level \(options.logLevel) is unknown")
        }
        logLevel = level
        guard ["text", "json"].contains(options.logFormat) else {
            throw refuse("--log-format is text or json, not \(options.logFormat)")
        }
        logsJSON = options.logFormat == "json"
        trustDomain = present("TRUST_DOMAIN") ?? "cluster.local"
        var metadata: [String: String] = [:]
        let prefix = "ISTIO_META_"
        for (key, value) in environment where key.hasPrefix(prefix) && key.utf8.count > prefix.utf8.count {
            metadata[String(key.dropFirst(prefix.count))] = value
        }
        if let text = present("PROXY_CONFIG") { metadata["PROXY_CONFIG"] = text }
        // Without a firewall rule the listeners are bound themselves, and there are no virtual ones.
        metadata["INTERCEPTION_MODE"] = metadata["INTERCEPTION_MODE"] ?? (isIntercepting ? "REDIRECT" : "NONE")
        self.metadata = metadata
    }

    /// `host:port`, `[v6]:port` or a host alone.
    private static func hostAndPort(_ text: String, defaultPort: Int) throws -> (String, Int) {
        var host = text
        var port = defaultPort
        if let colon = text.lastIndex(of: ":"), !text[..<colon].contains(":") || text[..<colon].hasSuffix("]") {
            guard let number = Int(text[text.index(after: colon)...]), (1...65535).contains(number) else {
                throw ProgramFailure(ExitStatus.wrongUsage, "apus-proxy: \(text) is not HOST:PORT")
            }
            host = String(text[..<colon])
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw ProgramFailure(ExitStatus.wrongUsage, "apus-proxy: \(text) is not HOST:PORT") }
        return (host, port)
    }

    private static func defaultStateFolder(_ environment: [String: String], _ id: String) -> String {
        func present(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let base: String
        if let folder = present("STATE_DIRECTORY") {
            // systemd may list several; the first is ours.
            base = folder.split(separator: ":").first.map(String.init) ?? folder
        } else if let folder = present("XDG_STATE_HOME") {
            base = folder + "/apus"
        } else {
            base = NSHomeDirectory() + "/.local/state/apus"
        }
        return base + "/apus-proxy/" + id
    }

    /// `sidecar~10.0.0.7~name.ns~ns.svc.cluster.local`.
    var nodeID: String {
        bootstrap?.nodeID
            ?? "\(isGateway ? "router" : "sidecar")~\(address)~\(name).\(namespace)~\(namespace).svc.cluster.local"
    }

    /// The application, as Istio's bootstrap derives `node.cluster`.
    var nodeCluster: String { bootstrap?.nodeCluster ?? "\(labels["app"] ?? "istio-proxy").\(namespace)" }
}
