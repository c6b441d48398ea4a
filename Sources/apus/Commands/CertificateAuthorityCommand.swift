internal import ApusControlPlane
internal import ApusIdentity
internal import ArgumentParser
internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import X509

struct CertificateAuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "The mesh's certificate authority.",
        subcommands: [Init.self, Show.self, Issue.self, Verify.self])

    struct Init: AsyncParsableCommand, EnvironmentConfigured {
        static let configuration = CommandConfiguration(
            abstract:
                "Makes a root and an intermediate, if there are none; `apus serve` does the same at its first start.")

        @OptionGroup var authority: AuthorityArguments

        static let environmentOptions = AuthorityArguments.environmentOptions

        func run() async throws {
            let current = try Authorities.open(authority, mayCreate: true).current
            Program.say("\(Describe.line("root", current.authority.root))")
            Program.say("\(Describe.line("signing", current.authority.certificate))")
        }
    }

    struct Show: AsyncParsableCommand, EnvironmentConfigured {
        enum Output: String, ExpressibleByArgument, CaseIterable { case text, json, pem }

        static let configuration = CommandConfiguration(
            abstract: "Shows the authority; `-o pem` is the root bundle that clients trust.")

        @OptionGroup var authority: AuthorityArguments

        @Option(name: [.short, .long], help: "text, json or pem.")
        var output = Output.text

        static let environmentOptions = AuthorityArguments.environmentOptions + [.value("output")]

        private struct Page: Encodable {
            let signing: Describe
            let roots: [Describe]
        }

        func run() async throws {
            let current = try Authorities.open(authority).current
            switch output {
            case .pem: Program.say(String(current.rootsPEM.dropLast(current.rootsPEM.hasSuffix("\n") ? 1 : 0)))
            case .json:
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                let page = Page(
                    signing: Describe(current.authority.certificate), roots: current.roots.map(Describe.init))
                Program.say(String(decoding: try encoder.encode(page), as: UTF8.self))
            case .text:
                for root in current.roots { Program.say(Describe.line("root", root)) }
                Program.say(Describe.line("signing", current.authority.certificate))
            }
        }
    }

    struct Issue: AsyncParsableCommand, EnvironmentConfigured {
        static let configuration = CommandConfiguration(
            abstract: "Issues a workload's certificate by hand, for a program that cannot ask for one.")

        @OptionGroup var authority: AuthorityArguments

        @Option(help: "The namespace of the workload.")
        var namespace: String

        @Option(help: "The service account of the workload.")
        var serviceAccount: String

        @Option(help: ArgumentHelp("How long it is valid: 90s, 15m, 24h, 7d.", valueName: "d"))
        var ttl: LifeArgument?

        @Option(
            help: ArgumentHelp(
                "A signing request (PEM); the chain is printed. Without it a key is made too.", valueName: "file"))
        var csr: String?

        @Option(
            help: ArgumentHelp(
                "Where cert-chain.pem, key.pem and root-cert.pem are written; without it everything goes to stdout.",
                valueName: "dir"))
        var out: String?

        static let environmentOptions =
            AuthorityArguments.environmentOptions + [
                .value("namespace"), .value("service-account"), .value("ttl"), .value("csr"), .value("out"),
            ]

        func run() async throws {
            let domain = try Authorities.trustDomain(authority.trustDomain)
            guard
                let identity = SPIFFEIdentity(
                    trustDomain: domain, namespace: namespace, serviceAccount: serviceAccount)
            else {
                throw ProgramFailure(
                    ExitStatus.wrongUsage, "\(namespace)/\(serviceAccount) cannot be a namespace and a service account")
            }
            var made: Certificate.PrivateKey?
            let key: Certificate.PublicKey
            if let csr {
                guard let bytes = FolderScan.read(csr, limit: SigningRequest.sizeLimit) else {
                    throw ProgramFailure(ExitStatus.badInput, "\(csr) cannot be read")
                }
                do { key = try SigningRequest(pem: String(decoding: bytes, as: UTF8.self)).key } catch {
                    throw ProgramFailure(ExitStatus.badInput, "\(csr): \(error)")
                }
            } else {
                let new = Certificate.PrivateKey(P256.Signing.PrivateKey())
                made = new
                key = new.publicKey
            }
            let store = try Authorities.open(authority)
            let issued: IssuedCertificate
            do {
                issued = try store.current.authority.issue(
                    to: identity, key: key, lifetime: ttl?.seconds ?? 0, now: Date())
            } catch { throw ProgramFailure(ExitStatus.failed, "\(error)") }
            let chain = issued.pem.dropLast().joined()
            let keyText = try made?.serializeAsPEM().pemString
            guard let out else {
                Program.say(chain)
                if let keyText { Program.say(keyText) }
                return
            }
            var files = [("cert-chain.pem", chain), ("root-cert.pem", store.current.rootsPEM)]
            if let keyText { files.insert(("key.pem", "\(keyText)\n"), at: 0) }
            do { try Self.write(files, to: out) } catch {
                throw ProgramFailure(ExitStatus.failed, error.description)
            }
        }

        private static func write(_ files: [(name: String, text: String)], to path: String) throws(StateFolder.Failure)
        {
            let folder = try StateFolder(path)
            for file in files { try folder.write(file.name, Array(file.text.utf8)) }
        }
    }

    struct Verify: AsyncParsableCommand, EnvironmentConfigured {
        static let configuration = CommandConfiguration(
            abstract: "Says whose certificate a file holds, and whether this mesh's authority signed it.")

        @Argument(help: "A certificate, with its chain behind it (PEM).")
        var file: String

        @OptionGroup var authority: AuthorityArguments

        static let environmentOptions = AuthorityArguments.environmentOptions

        func run() async throws {
            let domain = try Authorities.trustDomain(authority.trustDomain)
            guard let bytes = FolderScan.read(file, limit: 1 << 20),
                let chain = try? AuthorityMaterial.certificates(String(decoding: bytes, as: UTF8.self)),
                let leaf = chain.first
            else { throw ProgramFailure(ExitStatus.badInput, "\(file) holds no PEM certificate") }
            let roots = try Authorities.open(authority).current.roots
            let outcome = await ChainCheck.check(leaf, intermediates: Array(chain.dropFirst()), roots: roots)
            if let problem = outcome { throw ProgramFailure(ExitStatus.failed, "\(file): \(problem)") }
            do {
                let identity = try SPIFFEIdentity(holderOf: leaf, domains: [domain], now: Date())
                Program.say("\(identity) until \(leaf.notValidAfter.ISO8601Format())")
            } catch { throw ProgramFailure(ExitStatus.failed, "\(file): \(error)") }
        }
    }

    /// A certificate for people and programs.
    struct Describe: Encodable {
        let subject: String
        let issuer: String
        let serial: String
        let notBefore: String
        let notAfter: String
        let keyDigest: String

        init(_ certificate: Certificate) {
            subject = certificate.subject.description
            issuer = certificate.issuer.description
            serial = Hexadecimal.encode(certificate.serialNumber.bytes)
            notBefore = certificate.notValidBefore.ISO8601Format()
            notAfter = certificate.notValidAfter.ISO8601Format()
            keyDigest = Hexadecimal.encode(SigningRequest.digest(certificate.publicKey))
        }

        static func line(_ what: String, _ certificate: Certificate) -> String {
            let described = Describe(certificate)
            return "\(what): \(described.subject), serial \(described.serial), until \(described.notAfter)"
        }
    }
}
