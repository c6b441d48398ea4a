internal import ArgumentParser
internal import Foundation

/// Every option can also be given as an environment variable: `--xds-port` as `APUS_XDS_PORT`.
///
/// What is on the command line wins. Only options of the command that is called are looked for.
enum EnvironmentOptions {
    static func adding(
        to arguments: [String], environment: [String: String], of root: any ParsableCommand.Type
    ) -> [String] {
        var command = root
        var depth = 0
        for argument in arguments {
            guard
                let next = command.configuration.subcommands.first(where: {
                    $0._commandName == argument || $0.configuration.aliases.contains(argument)
                })
            else { break }
            command = next
            depth += 1
        }
        guard let named = command as? any EnvironmentConfigured.Type else { return arguments }
        var added: [String] = []
        for option in named.environmentOptions {
            let flag = "--\(option.name)"
            let variable = "APUS_" + option.name.uppercased().replacingOccurrences(of: "-", with: "_")
            guard let value = environment[variable], !value.isEmpty,
                !arguments.contains(where: { $0 == flag || $0.hasPrefix("\(flag)=") })
            else { continue }
            switch option.kind {
            case .value: added.append("\(flag)=\(value)")
            case .values: added += value.split(separator: ",").map { "\(flag)=\($0)" }
            case .flag: if ["1", "true", "yes"].contains(value.lowercased()) { added.append(flag) }
            }
        }
        // Behind the names of the commands, before everything else.
        return Array(arguments.prefix(depth)) + added + arguments.dropFirst(depth)
    }
}

/// A command that names the options it also takes from the environment.
protocol EnvironmentConfigured {
    static var environmentOptions: [EnvironmentOption] { get }
}

struct EnvironmentOption {
    enum Kind { case value, values, flag }

    let name: String
    let kind: Kind

    static func value(_ name: String) -> EnvironmentOption { EnvironmentOption(name: name, kind: .value) }
    static func values(_ name: String) -> EnvironmentOption { EnvironmentOption(name: name, kind: .values) }
    static func flag(_ name: String) -> EnvironmentOption { EnvironmentOption(name: name, kind: .flag) }
}
