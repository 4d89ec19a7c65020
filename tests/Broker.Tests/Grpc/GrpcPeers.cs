namespace GrayMQ.Broker.Grpc;

/// <summary>Clients of the messaging service of one broker, which end together.</summary>
internal sealed class GrpcPeers : IAsyncDisposable
{
    private readonly List<GrpcPeer> _peers = [];

    /// <summary>The broker's setting grpcPort.</summary>
    public string Port { get; } = $"{FreePorts.Take()}";

    /// <param name="names">The namespace of its topics and groups.</param>
    /// <param name="attempts">How often it tells that it tries to send.</param>
    public GrpcPeer Connect(string id, string names = "", int? attempts = 1)
    {
        var peer = new GrpcPeer(Port, id, names) { MaxAttempts = attempts };
        _peers.Add(peer);
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (GrpcPeer peer in _peers)
        {
            await peer.DisposeAsync();
        }
    }
}
