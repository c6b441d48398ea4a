internal import ArgumentParser

struct Version: ParsableCommand {
    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

    static let configuration = CommandConfiguration(abstract: "Prints the version.")

    @Option(name: [.short, .long], help: "text or json.")
    var output = Output.text

    func run() throws {
        Program.say(output == .json ? "{\"version\":\"\(ProgramVersion.text)\"}" : "apus \(ProgramVersion.text)")
    }
}

struct Completion: ParsableCommand {
    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    static let configuration = CommandConfiguration(abstract: "Prints a completion script for a shell.")

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() throws {
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Program.say(Apus.completionScript(for: kind))
    }
}
