using System.Collections.Concurrent;
using System.Net;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Grpc.Calls;
using GrayMQ.Grpc.Calls;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Clients;

/// <summary>The gRPC clients that have told their settings, by id, until they say that they end or fall silent.</summary>
internal sealed class GrpcClients(ConsumerTable consumers, ProducerTable producers, ClientLimits limits, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, GrpcClient> _clients = new(StringComparer.Ordinal);

    /// <summary>Raised once for each client that is gone.</summary>
    public event Action<GrpcClient>? ClientEnded;

    public IEnumerable<GrpcClient> All => _clients.Values;

    /// <summary>Who makes a call, by its headers.</summary>
    /// <exception cref="MessagingException">It does not say who it is.</exception>
    public Caller Identify(GrpcCall call)
    {
        string id = call.Headers["x-mq-client-id"].ToString();
        if (string.IsNullOrWhiteSpace(id))
        {
            throw new MessagingException(V2.Code.ClientIdRequired, "client id cannot be empty");
        }

        _clients.TryGetValue(id, out GrpcClient? client);
        IPEndPoint? address = call.Peer;
        return new Caller(
            id,
            call.Headers["x-mq-namespace"].ToString(),
            call.Headers["x-mq-client-version"].ToString(),
            LanguageOf(call.Headers["x-mq-language"].ToString()),
            address,
            client,
            client ?? (RemotingPeer)new UnknownPeer(address));
    }

    /// <summary>The client behind a caller, which is new when its settings come for the first time.</summary>
    /// <exception cref="MessagingException">There are too many.</exception>
    public GrpcClient Open(Caller caller)
    {
        if (caller.Client is { IsClosed: false } known)
        {
            return known;
        }

        if (_clients.Count >= limits.MaxRemembered)
        {
            throw new MessagingException(V2.Code.TooManyRequests, $"{limits.MaxRemembered} clients are here, which is the limit");
        }

        GrpcClient client = _clients.AddOrUpdate(
            caller.ClientId,
            static (_, maker) => maker.Make(),
            static (_, old, maker) => old.IsClosed ? maker.Make() : old,
            new Maker(this, caller));
        Heard(client);
        return client;
    }

    public void Heard(GrpcClient client) => client.LastHeardMs = NowMs();

    /// <summary>Ends clients that have fallen silent without being in any group, whose table would have noticed.</summary>
    public void Expire()
    {
        long silentSince = NowMs() - (long)limits.SilentAfter.TotalMilliseconds;
        foreach (GrpcClient client in _clients.Values)
        {
            if (client.LastHeardMs < silentSince)
            {
                client.Abort($"no heartbeat for {limits.SilentAfter.TotalSeconds} s");
            }
        }
    }

    private void Ended(GrpcClient client, string reason)
    {
        _clients.TryRemove(KeyValuePair.Create(client.Id, client));
        if (ClientSession.Of(client) is { } session)
        {
            consumers.LeaveAll(session, reason);
            producers.LeaveAll(session, reason);
        }

        ClientEnded?.Invoke(client);
    }

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();

    // As clients write it; the Node.js library calls itself HTTP.
    private static LanguageCode LanguageOf(string name) => name.ToUpperInvariant() switch
    {
        "JAVA" => LanguageCode.Java,
        "CPP" => LanguageCode.Cpp,
        "DOTNET" or "DOT_NET" => LanguageCode.DotNet,
        "GO" or "GOLANG" => LanguageCode.Go,
        "RUST" => LanguageCode.Rust,
        "PYTHON" => LanguageCode.Python,
        "PHP" => LanguageCode.Php,
        "NODE_JS" or "NODEJS" => LanguageCode.NodeJs,
        "RUBY" => LanguageCode.Ruby,
        "HTTP" => LanguageCode.Http,
        _ => LanguageCode.Other,
    };

    private sealed record Maker(GrpcClients Clients, Caller Caller)
    {
        public GrpcClient Make() => new(Caller.ClientId, Caller.Language, Caller.Address, Clients.Ended);
    }
}
