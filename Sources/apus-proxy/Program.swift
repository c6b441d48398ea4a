internal import ArgumentParser
internal import Foundation

/// Exit codes of the interface.
enum ExitStatus {
    static let failed: Int32 = 1
    static let wrongUsage: Int32 = 64
    static let notReachable: Int32 = 69
    static let internalError: Int32 = 70
    static let badConfiguration: Int32 = 78
}

/// An end of the program with a message for people (on stderr) and an exit code.
struct ProgramFailure: Error {
    let status: Int32
    let message: String

    init(_ status: Int32, _ message: String) {
        self.status = status
        self.message = message
    }
}

enum Program {
    static func run(_ type: ApusProxy.Type) async {
        let arguments = EnvironmentOption.adding(
            type.environmentOptions, to: Array(CommandLine.arguments.dropFirst()),
            environment: ProcessInfo.processInfo.environment)
        do {
            var command = try type.parseAsRoot(arguments)
            if var async = command as? any AsyncParsableCommand {
                try await async.run()
            } else {
                try command.run()
            }
        } catch let failure as ProgramFailure {
            complain(failure.message)
            exit(failure.status)
        } catch {
            let code = type.exitCode(for: error)
            let message = type.fullMessage(for: error)
            if code == .success {
                if !message.isEmpty { print(message) }
                exit(0)
            }
            complain(message)
            exit(code == .validationFailure ? ExitStatus.wrongUsage : ExitStatus.internalError)
        }
    }

    static func complain(_ message: String) {
        FileHandle.standardError.write(Data((message.hasSuffix("\n") ? message : message + "\n").utf8))
    }
}
