internal import ArgumentParser
internal import Foundation

struct ProxyStatus: AsyncParsableCommand, EnvironmentConfigured {
    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration(
        commandName: "proxy-status", abstract: "Says per proxy and type whether it has the newest configuration.",
        aliases: ["ps"])

    @Argument(help: "Only this proxy, NAME.NAMESPACE.")
    var proxy: String?

    @Option(name: [.short, .long], help: "text or json.")
    var output = Output.text

    @OptionGroup var server: ServerArguments

    static let environmentOptions: [EnvironmentOption] = [.value("output")] + ServerArguments.environmentOptions

    private struct TypeState: Codable {
        struct Failure: Codable {
            let message: String
            let resources: [String]
            let manifests: [String]
        }

        let state: String
        let sentAgeSeconds: Double?
        let error: Failure?
    }

    private struct Row: Codable {
        let proxy: String
        let `protocol`: String
        let cluster: TypeState
        let endpoint: TypeState
        let listener: TypeState
        let route: TypeState
        var secret: TypeState

        /// A stream beside the main one, on which a stock Envoy asks for its own certificate.
        var isForSecretsOnly: Bool {
            [cluster, endpoint, listener, route].allSatisfy { $0.state == Self.notSent } && secret.state != Self.notSent
        }

        static let notSent = "NOT SENT"
    }

    /// One row per proxy: streams for secrets alone show in the row of the proxy's main stream, a refusal first.
    private static func merged(_ rows: [Row]) -> [Row] {
        var result = rows.filter { !$0.isForSecretsOnly }
        for row in rows where row.isForSecretsOnly {
            guard let index = result.firstIndex(where: { $0.proxy == row.proxy }) else {
                result.append(row)
                continue
            }
            let known = result[index].secret
            if known.error == nil, row.secret.error != nil || known.state == Row.notSent || row.secret.state == "STALE"
            {
                result[index].secret = row.secret
            }
        }
        return result
    }

    func run() async throws {
        let data = try await server.fetch("/debug/syncz")
        var rows = try JSONDecoder().decode([Row].self, from: data).sorted { $0.proxy < $1.proxy }
        if let proxy {
            rows = rows.filter { $0.proxy == proxy }
            guard !rows.isEmpty else { throw ProgramFailure(ExitStatus.failed, "no connected proxy is named \(proxy)") }
        }
        if output == .json {
            let whole = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
            let chosen = whole.filter { proxy == nil || $0["proxy"] as? String == proxy }
            let json = try JSONSerialization.data(
                withJSONObject: chosen, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            Program.say(String(decoding: json, as: UTF8.self))
            return
        }
        rows = Self.merged(rows).sorted { $0.proxy < $1.proxy }
        var table = TextTable(["NAME", "CDS", "EDS", "LDS", "RDS", "SDS", "XDS"])
        for row in rows {
            table.add(
                [row.proxy]
                    + [row.cluster, row.endpoint, row.listener, row.route, row.secret].map(Self.cell) + [row.protocol])
        }
        Program.say(table.text)
        for row in rows {
            for (name, state) in [
                ("CDS", row.cluster), ("EDS", row.endpoint), ("LDS", row.listener), ("RDS", row.route),
                ("SDS", row.secret),
            ] {
                guard let error = state.error else { continue }
                Program.say("\(row.proxy) \(name): \(error.message)")
                for manifest in error.manifests { Program.say("  \(manifest)") }
            }
        }
    }

    private static func cell(_ state: TypeState) -> String {
        guard let age = state.sentAgeSeconds else { return state.state }
        let text = age < 120 ? "\(Int(age))s" : age < 7200 ? "\(Int(age / 60))m" : "\(Int(age / 3600))h"
        return "\(state.state) (\(text))"
    }
}
