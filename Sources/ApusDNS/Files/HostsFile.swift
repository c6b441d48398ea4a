public import ApusCore

/// What `/etc/hosts` says (`hosts(5)`): addresses by name, in the order of the file.
public struct HostsFile: Sendable, Equatable {
    private var addresses: [DomainName: [IPAddress]] = [:]

    public static let empty = HostsFile(text: "")

    /// Lines that are no address with names are left alone, and so are addresses with a zone.
    public init(text: some StringProtocol) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = words.first, let address = IPAddress(first) else { continue }
            for word in words.dropFirst() {
                guard let name = DomainName(word) else { continue }
                if !addresses[name, default: []].contains(address) { addresses[name, default: []].append(address) }
            }
        }
    }

    public subscript(name: DomainName) -> [IPAddress] { addresses[name] ?? [] }
}
