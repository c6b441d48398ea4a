internal import ApusControlPlane
internal import ArgumentParser
internal import Foundation
internal import FoundationNetworking

/// Which running control plane a command talks to.
struct ServerArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The control plane's HTTP port, as http://host:port.", valueName: "url"))
    var server: String?

    @Option(
        help: ArgumentHelp("The control plane's state folder, where run.json says where it listens.", valueName: "dir"))
    var state: String?

    static let environmentOptions: [EnvironmentOption] = [.value("server"), .value("state")]

    /// The JSON of one page.
    func fetch(_ path: String) async throws -> Data {
        let base: String
        if let server {
            base = server.contains("://") ? server : "http://\(server)"
        } else {
            let folder = state ?? StateFolder.defaultPath(ProcessInfo.processInfo.environment)
            guard FileManager.default.fileExists(atPath: folder), let opened = try? StateFolder(folder),
                let run = RunFile.read(from: opened)
            else {
                throw ProgramFailure(
                    ExitStatus.notReachable,
                    "no control plane runs with the state folder \(folder); give --server or --state")
            }
            base = "http://\(run.addresses.http)"
        }
        guard let url = URL(string: base + path) else {
            throw ProgramFailure(ExitStatus.wrongUsage, "\(base) is not a URL")
        }
        var request = URLRequest(url: url)
        request.timeoutInterval = 10
        do {
            let (data, response) = try await URLSession.shared.data(for: request)
            let status = (response as? HTTPURLResponse)?.statusCode ?? 0
            guard status == 200 else {
                throw ProgramFailure(
                    ExitStatus.failed,
                    String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
            }
            return data
        } catch let failure as ProgramFailure {
            throw failure
        } catch {
            throw ProgramFailure(ExitStatus.notReachable, "the control plane at \(base) does not answer")
        }
    }
}
