using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Serving;

/// <summary>A client's side of one real connection.</summary>
internal sealed class Peer : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly string _address;
    private readonly RemotingClient _client;

    public Peer(string address, string id, Action<RequestTable>? answers = null)
    {
        _address = address;
        Id = id;
        RequestTable table = new RequestTable().On<NotifyConsumerIdsChangedHeader>(
            RequestCode.NotifyConsumerIdsChanged,
            (request, header) =>
            {
                Notified.Enqueue(header.ConsumerGroup);
                request.Reply(ResponseCode.Success);
                return ValueTask.CompletedTask;
            });
        answers?.Invoke(table);
        _client = new RemotingClient(RemotingClientOptions.Default, table, TimeProvider.System, NullLoggerFactory.Instance);
        _client.ConnectionClosed += (_, _) => WasClosed = true;
    }

    public string Id { get; }

    /// <summary>The groups that the broker said have changed, in order.</summary>
    public ConcurrentQueue<string> Notified { get; } = new();

    public bool WasClosed { get; private set; }

    public Task<RemotingCommand> AskAsync<THeader>(RequestCode code, THeader header, byte[]? body = null)
        where THeader : IHeaderFields => _client.InvokeAsync(_address, code, header, body, Timeout);

    /// <summary>Sends a request that nobody answers.</summary>
    public Task TellAsync<THeader>(RequestCode code, THeader header, byte[]? body = null)
        where THeader : IHeaderFields => _client.SendOneWayAsync(_address, code, header, body);

    public async Task<T> AskAsync<THeader, T>(RequestCode code, THeader header, byte[]? body = null)
        where THeader : IHeaderFields
    {
        RemotingCommand reply = await AskAsync(code, header, body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{code}: {reply.ResponseCode} {reply.Remark}");
        return BodyCodec.Decode<T>(reply.Body);
    }

    public Task<RemotingCommand> HeartbeatAsync(string json) =>
        AskAsync(RequestCode.Heartbeat, default(NoHeader), Encoding.UTF8.GetBytes(json));

    /// <summary>A heartbeat of a consumer of one group; null subscriptions are left out as V2 does.</summary>
    public async Task<HeartbeatResponseHeader> HeartbeatAsync(
        string group, SubscriptionData[]? subscriptions, int fingerprint = 0, MessageModel model = MessageModel.Clustering)
    {
        var heartbeat = new HeartbeatData
        {
            ClientId = Id,
            HeartbeatFingerprint = fingerprint,
            WithoutSub = subscriptions is null,
            ConsumerDataSet =
            [
                new ConsumerData
                {
                    GroupName = group,
                    ConsumeType = ConsumeType.Passively,
                    MessageModel = model,
                    ConsumeFromWhere = ConsumeFromWhere.FirstOffset,
                    SubscriptionDataSet = [.. subscriptions ?? []],
                },
            ],
        };
        RemotingCommand reply = await AskAsync(RequestCode.Heartbeat, default(NoHeader), BodyCodec.Encode(heartbeat));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        return HeartbeatResponseHeader.Read(reply.Fields);
    }

    public async Task UnregisterAsync(string? consumerGroup = null, string? producerGroup = null)
    {
        RemotingCommand reply = await AskAsync(
            RequestCode.UnregisterClient,
            new UnregisterClientHeader { ClientId = Id, ConsumerGroup = consumerGroup, ProducerGroup = producerGroup });
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
