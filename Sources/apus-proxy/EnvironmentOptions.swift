internal import Foundation

/// An option that the environment may give: `--admin-port` as `APUS_ADMIN_PORT`. The command line wins.
struct EnvironmentOption {
    enum Kind { case value, values, flag }

    let name: String
    let kind: Kind

    static func value(_ name: String) -> EnvironmentOption { EnvironmentOption(name: name, kind: .value) }
    static func values(_ name: String) -> EnvironmentOption { EnvironmentOption(name: name, kind: .values) }
    static func flag(_ name: String) -> EnvironmentOption { EnvironmentOption(name: name, kind: .flag) }

    private var variable: String { "APUS_" + name.uppercased().replacingOccurrences(of: "-", with: "_") }

    /// The arguments with those of the environment put before them.
    static func adding(
        _ options: [EnvironmentOption], to arguments: [String], environment: [String: String]
    ) -> [String] {
        var added: [String] = []
        for option in options {
            let flag = "--\(option.name)"
            let isGiven = arguments.contains {
                $0 == flag || $0.hasPrefix("\(flag)=") || (option.name == "config" && $0.hasPrefix("-c"))
            }
            guard !isGiven, let value = environment[option.variable], !value.isEmpty else { continue }
            switch option.kind {
            case .value: added.append("\(flag)=\(value)")
            case .values: added += value.split(separator: ",").map { "\(flag)=\($0)" }
            case .flag: if ["1", "true", "yes"].contains(value.lowercased()) { added.append(flag) }
            }
        }
        return added + arguments
    }
}
