internal import ApusMesh
internal import ArgumentParser

/// Which proxy is meant: `--proxy NAME.NS` and what it would say of itself.
struct ProxyArguments: ParsableArguments {
    enum Role: String, ExpressibleByArgument, CaseIterable { case sidecar, gateway, router }

    @Option(help: ArgumentHelp("The proxy, as NAME.NAMESPACE.", valueName: "name.ns"))
    var proxy: String

    @Option(help: "sidecar or gateway.")
    var role = Role.sidecar

    @Option(help: ArgumentHelp("A label of the workload, may be repeated.", valueName: "k=v"))
    var label: [String] = []

    @Option(help: ArgumentHelp("The workload's address.", valueName: "addr"))
    var ip: String?

    @Option(help: ArgumentHelp("redirect, tproxy or none: how traffic reaches the sidecar.", valueName: "mode"))
    var interceptionMode: String?

    @Flag(help: "A proxy that has not proved who it is (port 15010): no mutual TLS, no Secrets.")
    var plaintext = false

    @Option(help: "envoy or grpc (proxyless).")
    var generator = "envoy"

    static let environmentOptions: [EnvironmentOption] = [
        .value("proxy"), .value("role"), .values("label"), .value("ip"), .value("interception-mode"),
        .value("generator"), .flag("plaintext"),
    ]

    func described() throws -> Proxy {
        guard let dot = proxy.lastIndex(of: "."), dot != proxy.startIndex, proxy.index(after: dot) != proxy.endIndex
        else {
            throw ValidationError("--proxy must be NAME.NAMESPACE, and \(proxy) is not")
        }
        let labels = try Labels.parse(label)
        var result = Proxy(
            id: proxy, role: role == .sidecar ? .sidecar : .router,
            namespace: String(proxy[proxy.index(after: dot)...]), addresses: ip.map { [$0] } ?? [], labels: labels,
            hasIdentity: !plaintext)
        switch interceptionMode?.lowercased() {
        case nil: break
        case "redirect": result.interception = .redirect
        case "tproxy": result.interception = .tproxy
        case "none": result.interception = .none
        case let other?: throw ValidationError("--interception-mode is redirect, tproxy or none, not \(other)")
        }
        switch generator {
        case "envoy": break
        case "grpc": result.generator = .grpc
        default: throw ValidationError("--generator is envoy or grpc, not \(generator)")
        }
        return result
    }
}

enum Labels {
    /// `k=v` pairs; a later one wins.
    static func parse(_ pairs: [String]) throws -> [String: String] {
        var labels: [String: String] = [:]
        for pair in pairs {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else {
                throw ValidationError("--label must be k=v, and \(pair) is not")
            }
            labels[String(sides[0])] = String(sides[1])
        }
        return labels
    }
}
