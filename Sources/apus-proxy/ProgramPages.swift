internal import Foundation
internal import Glibc

/// The pages of the program that only its start needed.
///
/// Starting runs through much code once: decoding, TLS, gRPC. The kernel keeps what was read of the file in the resident
/// set. Given back, a page that is needed again comes from the page cache at the cost of a minor fault; the rest, more than
/// half of what an idle proxy holds, is free for others.
enum ProgramPages {
    /// Only code: it is never written, so the file has all there is to have.
    static func release() {
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8),
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return }
        for line in maps.split(separator: "\n") where line.hasSuffix(program) {
            // 5593a6a00000-5593a8dc1000 r-xp 00a2c000 fe:00 1234   /usr/bin/apus-proxy
            let fields = line.split(separator: " ", maxSplits: 2)
            guard fields.count == 3, fields[1] == "r-xp" else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { continue }
            _ = madvise(UnsafeMutableRawPointer(bitPattern: bounds[0]), Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }
}
