internal import ArgumentParser
internal import Foundation

/// A length of time as people write it: `90s`, `15m`, `24h`, `7d`; a number alone means seconds.
struct LifeArgument: ExpressibleByArgument {
    let seconds: TimeInterval

    init?(argument: String) {
        let units: [Character: TimeInterval] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        guard let number = Int32(unit == nil ? argument[...] : argument.dropLast()), number > 0 else { return nil }
        seconds = TimeInterval(number) * (unit ?? 1)
    }
}

/// Which certificate authority a command works on.
struct AuthorityArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The control plane's state folder.", valueName: "dir"))
    var state: String?

    @Option(help: ArgumentHelp("A certificate authority made elsewhere.", valueName: "dir"))
    var caDir: String?

    @Option(help: "The trust domain of identities.")
    var trustDomain = "cluster.local"

    static let environmentOptions: [EnvironmentOption] = [.value("state"), .value("ca-dir"), .value("trust-domain")]
}
