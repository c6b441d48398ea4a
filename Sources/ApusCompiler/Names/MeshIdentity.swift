/// Whether workloads get certificates from the mesh. While they do not, no cluster offers automatic mutual TLS and no
/// endpoint claims to accept it: a client would wait for a certificate that never comes.
enum MeshIdentity {
    static let isIssued = false
}
