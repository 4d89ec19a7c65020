using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Cli.Tests.Support;

/// <summary>A client of a broker by the remoting protocol, for what no command does.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly string _broker;
    private readonly RemotingClient _client;

    public RawClient(string broker, Action<RequestTable>? answers = null)
    {
        _broker = broker;
        RequestTable table = new RequestTable().On<NotifyConsumerIdsChangedHeader>(
            RequestCode.NotifyConsumerIdsChanged,
            (request, _) =>
            {
                request.Reply(ResponseCode.Success);
                return ValueTask.CompletedTask;
            });
        answers?.Invoke(table);
        _client = new RemotingClient(RemotingClientOptions.Default, table, TimeProvider.System, NullLoggerFactory.Instance);
    }

    /// <summary>Asks for what has to succeed.</summary>
    public async Task AskAsync<THeader>(RequestCode code, THeader header, byte[]? body = null)
        where THeader : IHeaderFields
    {
        RemotingCommand answer = await _client.InvokeAsync(_broker, code, header, body, Timeout);
        Assert.True(answer.ResponseCode == ResponseCode.Success, $"{code}: {answer.ResponseCode} {answer.Remark}");
    }

    /// <summary>Says that a consumer is there.</summary>
    public Task JoinAsync(string clientId, string group, string topic, ConsumeType type = ConsumeType.Passively) => AskAsync(
        RequestCode.Heartbeat,
        default(NoHeader),
        BodyCodec.Encode(new HeartbeatData
        {
            ClientId = clientId,
            ConsumerDataSet =
            [
                new ConsumerData
                {
                    GroupName = group,
                    ConsumeType = type,
                    MessageModel = MessageModel.Clustering,
                    ConsumeFromWhere = ConsumeFromWhere.FirstOffset,
                    SubscriptionDataSet = [new SubscriptionData { Topic = topic, SubString = "TagA" }],
                },
            ],
        }));

    /// <summary>Has a stored message fail for good.</summary>
    public Task BuryAsync(string group, string topic, long physicalOffset, string messageId) => AskAsync(
        RequestCode.ConsumerSendMessageBack,
        new ConsumerSendMessageBackHeader
        {
            PhysicalOffset = physicalOffset,
            Group = group,
            DelayLevel = -1,
            OriginMessageId = messageId,
            OriginTopic = topic,
        });

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
