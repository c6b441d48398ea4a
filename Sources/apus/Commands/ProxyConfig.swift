internal import ArgumentParser
internal import Foundation

struct ProxyConfig: AsyncParsableCommand, EnvironmentConfigured {
    enum Subject: String, ExpressibleByArgument, CaseIterable {
        case listener, route, cluster, endpoint, secret, bootstrap, all

        /// The key of `/debug/config_dump`.
        var key: String { rawValue + "s" }
    }

    enum Output: String, ExpressibleByArgument, CaseIterable { case short, json, yaml }

    static let configuration = CommandConfiguration(
        commandName: "proxy-config",
        abstract: "Shows what one proxy (a stock Envoy too) was given.", aliases: ["pc"])

    @Argument(help: "listener, route, cluster, endpoint, secret, bootstrap or all.")
    var subject: Subject

    @Argument(help: "The proxy, NAME.NAMESPACE.")
    var proxy: String

    @Option(name: [.short, .long], help: "short, json or yaml.")
    var output = Output.short

    @OptionGroup var server: ServerArguments

    static let environmentOptions: [EnvironmentOption] = [.value("output")] + ServerArguments.environmentOptions

    func run() async throws {
        if subject == .bootstrap {
            throw ProgramFailure(
                ExitStatus.failed, "the bootstrap is known to the proxy alone; ask its admin port for /config_dump")
        }
        let id = proxy.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? proxy
        let data = try await server.fetch("/debug/config_dump?proxyID=\(id)")
        guard let dump = try JSONSerialization.jsonObject(with: data) as? [String: [[String: Any]]] else {
            throw ProgramFailure(ExitStatus.internalError, "the control plane's answer is not understood")
        }
        let subjects = subject == .all ? [Subject.listener, .route, .cluster, .endpoint, .secret] : [subject]
        switch output {
        case .short:
            for each in subjects {
                if subjects.count > 1 { Program.say("\n\(each.rawValue.uppercased())S") }
                Program.say(Self.table(each, dump[each.key] ?? []))
            }
        case .json:
            let chosen: Any = subject == .all ? dump : dump[subject.key] ?? []
            let json = try JSONSerialization.data(
                withJSONObject: chosen, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            Program.say(String(decoding: json, as: UTF8.self))
        case .yaml:
            let chosen: Any = subject == .all ? dump : dump[subject.key] ?? []
            Program.say(OutputTree(json: chosen).yaml)
        }
    }

    private static func table(_ subject: Subject, _ rows: [[String: Any]]) -> String {
        func text(_ row: [String: Any], _ path: String...) -> String {
            var value: Any? = row
            for key in path { value = (value as? [String: Any])?[key] }
            return value.map { "\($0)" } ?? "-"
        }
        switch subject {
        case .listener:
            var table = TextTable(["NAME", "ADDRESS", "PORT", "CHAINS"])
            for row in rows {
                table.add([
                    text(row, "name"), text(row, "address", "socketAddress", "address"),
                    text(row, "address", "socketAddress", "portValue"),
                    "\((row["filterChains"] as? [Any])?.count ?? 0)",
                ])
            }
            return table.text
        case .route:
            var table = TextTable(["NAME", "VIRTUAL HOST", "DOMAINS", "ROUTES"])
            for row in rows {
                for host in row["virtualHosts"] as? [[String: Any]] ?? [] {
                    let domains = host["domains"] as? [String] ?? []
                    table.add([
                        text(row, "name"), text(host, "name"),
                        (domains.first ?? "-") + (domains.count > 1 ? " + \(domains.count - 1) more" : ""),
                        "\((host["routes"] as? [Any])?.count ?? 0)",
                    ])
                }
            }
            return table.text
        case .cluster:
            var table = TextTable(["NAME", "TYPE"])
            for row in rows { table.add([text(row, "name"), text(row, "type")]) }
            return table.text
        case .endpoint:
            var table = TextTable(["CLUSTER", "ENDPOINT", "HEALTH"])
            for row in rows {
                for locality in row["endpoints"] as? [[String: Any]] ?? [] {
                    for endpoint in locality["lbEndpoints"] as? [[String: Any]] ?? [] {
                        let address = text(endpoint, "endpoint", "address", "socketAddress", "address")
                        let port = text(endpoint, "endpoint", "address", "socketAddress", "portValue")
                        table.add([
                            text(row, "clusterName"), "\(address):\(port)",
                            endpoint["healthStatus"] as? String ?? "HEALTHY",
                        ])
                    }
                }
            }
            return table.text
        case .secret, .bootstrap, .all:
            var table = TextTable(["NAME"])
            for row in rows { table.add([text(row, "name")]) }
            return table.text
        }
    }
}

extension OutputTree {
    /// From what JSONSerialization reads; keys sorted.
    init(json value: Any) {
        switch value {
        case let map as [String: Any]:
            self = .map(map.sorted { $0.key < $1.key }.map { ($0.key, OutputTree(json: $0.value)) })
        case let list as [Any]: self = .list(list.map(OutputTree.init(json:)))
        case let text as String: self = .string(text)
        case let number as NSNumber:
            // JSONSerialization has one number type; a boolean is recognised by its Objective-C encoding.
            if String(cString: number.objCType) == "c" {
                self = .bool(number.boolValue)
            } else {
                self = Int(exactly: number.doubleValue).map(OutputTree.number) ?? .string("\(number)")
            }
        default: self = .string("")
        }
    }
}
