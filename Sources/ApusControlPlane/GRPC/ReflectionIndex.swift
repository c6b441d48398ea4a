internal import Foundation
internal import SwiftProtobuf

/// Which file declares what, among the descriptors of the services.
package struct ReflectionIndex: Sendable {
    /// Full names, sorted.
    package private(set) var services: [String] = []
    private var files: [String: (bytes: [UInt8], imports: [String])] = [:]
    private var fileOfSymbol: [String: String] = [:]
    private var messages: Set<String> = []

    /// The descriptors that Apus was built with.
    package static let embedded = ReflectionIndex(
        Data(base64Encoded: ReflectionDescriptors.base64, options: .ignoreUnknownCharacters).map { Array($0) } ?? [])

    /// - Parameter descriptors: a serialised `google.protobuf.FileDescriptorSet`; what cannot be read leaves it empty.
    package init(_ descriptors: [UInt8]) {
        guard let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: descriptors) else { return }
        for file in set.file {
            guard let bytes: [UInt8] = try? file.serializedBytes() else { continue }
            files[file.name] = (bytes, file.dependency)
            for message in file.messageType { add(message, in: file.package, of: file.name) }
            for type in file.enumType { fileOfSymbol["\(file.package).\(type.name)"] = file.name }
            for service in file.service {
                let name = "\(file.package).\(service.name)"
                services.append(name)
                fileOfSymbol[name] = file.name
                for method in service.method { fileOfSymbol["\(name).\(method.name)"] = file.name }
            }
        }
        services.sort()
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, in scope: String, of file: String) {
        let name = "\(scope).\(message.name)"
        messages.insert(name)
        fileOfSymbol[name] = file
        for nested in message.nestedType { add(nested, in: name, of: file) }
        for type in message.enumType { fileOfSymbol["\(name).\(type.name)"] = file }
        for field in message.field { fileOfSymbol["\(name).\(field.name)"] = file }
    }

    package func isMessage(_ name: String) -> Bool { messages.contains(name) }

    /// The path of the file that declares a service, method, message, field or enum by its full name.
    package func file(of symbol: String) -> String? { fileOfSymbol[symbol] }

    /// A serialised `FileDescriptorProto` and those of everything it imports, itself first; nil if there is no such file.
    package func descriptors(of file: String) -> [[UInt8]]? {
        guard files[file] != nil else { return nil }
        var seen: Set<String> = [file]
        var queue = [file]
        var result: [[UInt8]] = []
        while let name = queue.first {
            queue.removeFirst()
            guard let entry = files[name] else { continue }
            result.append(entry.bytes)
            queue += entry.imports.filter { seen.insert($0).inserted }
        }
        return result
    }
}
