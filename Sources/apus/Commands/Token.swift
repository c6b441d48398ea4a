internal import ApusControlPlane
internal import ApusIdentity
internal import ArgumentParser
internal import Foundation

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Join tokens: what lets a workload into the mesh for the first time.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand, EnvironmentConfigured {
        static let configuration = CommandConfiguration(
            abstract: "Prints a new join token, and nothing else, on stdout.")

        @Option(help: "The namespace of the workload.")
        var namespace: String

        @Option(help: "The service account of the workload.")
        var serviceAccount: String

        @Option(help: ArgumentHelp("How long it may be used: 90s, 15m, 24h, 7d.", valueName: "d"))
        var ttl: LifeArgument?

        @Flag(help: "Good for one workload only: the first that uses it.")
        var once = false

        @Option(help: ArgumentHelp("The control plane's state folder.", valueName: "dir"))
        var state: String?

        @Option(help: "The trust domain of identities.")
        var trustDomain = "cluster.local"

        static let environmentOptions: [EnvironmentOption] = [
            .value("namespace"), .value("service-account"), .value("ttl"), .flag("once"), .value("state"),
            .value("trust-domain"),
        ]

        func run() async throws {
            let lifetime = ttl?.seconds ?? JoinToken.defaultLifetime
            guard lifetime <= JoinToken.maximumLifetime else {
                throw ProgramFailure(ExitStatus.wrongUsage, "--ttl may be a year at most")
            }
            do {
                let folder = try StateFolder(state ?? StateFolder.defaultPath(ProcessInfo.processInfo.environment))
                let tokens = try TokenStore(state: folder, trustDomain: try Authorities.trustDomain(trustDomain))
                Program.say(
                    try tokens.create(
                        namespace: namespace, serviceAccount: serviceAccount, lifetime: lifetime, isSingleUse: once,
                        now: Date()))
            } catch let failure as StateFolder.Failure {
                throw ProgramFailure(ExitStatus.failed, failure.description)
            } catch let failure as TokenStore.Failure {
                throw ProgramFailure(
                    failure.isRefusal ? ExitStatus.wrongUsage : ExitStatus.failed, failure.description)
            }
        }
    }
}

enum Authorities {
    static func trustDomain(_ name: String) throws -> TrustDomain {
        guard let domain = TrustDomain(name) else {
            throw ProgramFailure(ExitStatus.wrongUsage, "\(name) cannot be a trust domain")
        }
        return domain
    }

    /// The authority that the options name.
    static func open(_ arguments: AuthorityArguments, mayCreate: Bool = false) throws -> AuthorityStore {
        let path = arguments.state ?? StateFolder.defaultPath(ProcessInfo.processInfo.environment)
        do {
            return try AuthorityStore(
                state: try StateFolder(path), external: arguments.caDir,
                trustDomain: try trustDomain(arguments.trustDomain), now: Date(), mayCreate: mayCreate)
        } catch let failure as StateFolder.Failure {
            throw ProgramFailure(ExitStatus.failed, failure.description)
        } catch let failure as AuthorityStore.Failure {
            throw ProgramFailure(ExitStatus.badConfiguration, failure.description)
        }
    }
}
