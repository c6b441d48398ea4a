internal import Foundation

/// `run.json`: which process serves, and where. Commands find the control plane by it.
package struct RunFile: Codable, Sendable {
    package struct Addresses: Codable, Sendable {
        /// `host:port`.
        package var xds: String
        package var http: String
        /// xDS and certificates over TLS; nil if not served.
        package var secure: String?

        package init(xds: String, secure: String? = nil, http: String) {
            self.xds = xds
            self.secure = secure
            self.http = http
        }
    }

    package var pid: Int32
    package var addresses: Addresses
    package var version: String
    package var folders: [String]

    package init(pid: Int32, addresses: Addresses, version: String, folders: [String]) {
        self.pid = pid
        self.addresses = addresses
        self.version = version
        self.folders = folders
    }

    package static let name = "run.json"

    package func write(to folder: StateFolder) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try folder.write(Self.name, Array(try encoder.encode(self)) + [UInt8(ascii: "\n")])
    }

    package static func read(from folder: StateFolder) -> RunFile? {
        folder.read(name, limit: 1 << 20).flatMap { try? JSONDecoder().decode(RunFile.self, from: Data($0)) }
    }
}
