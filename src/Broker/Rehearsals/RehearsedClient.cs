using System.Globalization;
using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Rehearsals;

/// <summary>A producer and two consumers in one, who do over and over what clients do most: send, pull, commit, pop, acknowledge.</summary>
internal sealed class RehearsedClient : IAsyncDisposable
{
    private const int MaxMessages = 8;
    private const int BodyBytes = 1024;
    private const int Queues = 2;

    // The store is a small one, and goes with the rehearsal: what is stored stays within some megabytes.
    private const int MaxRounds = 4000;

    // However slow the machine, everything is done more than once.
    private const int LeastRounds = 2 * Queues;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly string _address;
    private readonly int _id;
    private readonly byte[] _topic;
    private readonly byte[] _group;
    private readonly byte[] _popGroup;
    private readonly byte[] _body = new byte[BodyBytes];
    private readonly TimeProvider _time;
    private readonly RemotingClient _client;
    private readonly Dictionary<RequestCode, long> _successes = [];
    private long _sent;

    /// <param name="id">Each client has a topic of its own; those with odd numbers write headers as the binary clients do.</param>
    public RehearsedClient(string address, int id, TimeProvider time)
    {
        _address = address;
        _id = id;
        _time = time;
        _topic = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"rehearsal{id}"));
        _group = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"rehearsed{id}"));
        _popGroup = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"rehearsedPop{id}"));
        _client = new RemotingClient(
            RemotingClientOptions.Default with { SerializeType = id % 2 == 0 ? SerializeType.Json : SerializeType.RocketMq },
            new RequestTable(),
            time,
            NullLoggerFactory.Instance);
    }

    /// <summary>Goes on until it is over.</summary>
    /// <returns>How often each request succeeded.</returns>
    /// <exception cref="InvalidOperationException">One failed that ought not to.</exception>
    public async Task<IReadOnlyDictionary<RequestCode, long>> PlayAsync(CancellationToken over)
    {
        long[] offsets = new long[Queues];
        for (int round = 0; round < LeastRounds || (round < MaxRounds && !over.IsCancellationRequested); round++)
        {
            if (round % 50 == 0)
            {
                await HeartbeatAsync().ConfigureAwait(false);
            }

            int queueId = round % Queues;
            await SendAsync(queueId).ConfigureAwait(false);
            offsets[queueId] = await PullAsync(queueId, offsets[queueId]).ConfigureAwait(false);
            await PopAsync(queueId).ConfigureAwait(false);
        }

        return _successes;
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private async Task HeartbeatAsync()
    {
        string topic = Encoding.UTF8.GetString(_topic);
        var heartbeat = new HeartbeatData
        {
            ClientId = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1@{_id}"),
            ProducerDataSet = [new ProducerData { GroupName = "rehearsal" }],
            ConsumerDataSet =
            [
                new ConsumerData
                {
                    GroupName = Encoding.UTF8.GetString(_group),
                    ConsumeType = ConsumeType.Passively,
                    MessageModel = MessageModel.Clustering,
                    ConsumeFromWhere = ConsumeFromWhere.FirstOffset,
                    SubscriptionDataSet = [new SubscriptionData { Topic = topic, SubString = "*", SubVersion = 1 }],
                },
            ],
        };
        await AskAsync(RequestCode.Heartbeat, default(NoHeader), BodyCodec.Encode(heartbeat)).ConfigureAwait(false);
    }

    private async Task SendAsync(int queueId)
    {
        var header = new SendMessageHeader
        {
            ProducerGroup = "rehearsal"u8.ToArray(),
            Topic = _topic,
            DefaultTopic = Encoding.UTF8.GetBytes(TopicNames.AutoCreateTemplate),
            DefaultTopicQueueNums = Queues,
            QueueId = queueId,
            BornTimestampMs = _time.GetUtcNow().ToUnixTimeMilliseconds(),
            Properties = MessagePropertiesCodec.ToBytes(
            [
                new(MessageProperty.UniqueKey, string.Create(CultureInfo.InvariantCulture, $"7F000001{_id:X8}{_sent++:X16}")),
                new(MessageProperty.Keys, "key"),
                new(MessageProperty.Tags, "tag"),
                new(MessageProperty.WaitStoreMessageOk, "true"),
            ]),
        };
        await AskAsync(RequestCode.SendMessageV2, header, _body).ConfigureAwait(false);
    }

    private async Task<long> PullAsync(int queueId, long offset)
    {
        RemotingCommand answer = await AskAsync(
            RequestCode.PullMessage,
            new PullMessageHeader
            {
                ConsumerGroup = _group,
                Topic = _topic,
                QueueId = queueId,
                QueueOffset = offset,
                MaxMessages = MaxMessages,
                SysFlag = PullSysFlag.Subscription | PullSysFlag.CommitOffset,
                CommitOffset = offset,
                Subscription = "*"u8.ToArray(),
            }).ConfigureAwait(false);
        if (answer.ResponseCode != ResponseCode.Success)
        {
            return offset;
        }

        long next = PullMessageResponseHeader.Read(answer.Fields).NextBeginOffset;
        await AskAsync(
            RequestCode.UpdateConsumerOffset,
            new UpdateConsumerOffsetHeader { ConsumerGroup = _group, Topic = _topic, QueueId = queueId, CommitOffset = next })
            .ConfigureAwait(false);
        return next;
    }

    private async Task PopAsync(int queueId)
    {
        RemotingCommand answer = await AskAsync(
            RequestCode.PopMessage,
            new PopMessageHeader
            {
                ConsumerGroup = _popGroup,
                Topic = _topic,
                QueueId = queueId,
                MaxMessages = MaxMessages,
                InvisibleTimeMs = 60_000,
                Expression = "*"u8.ToArray(),
            }).ConfigureAwait(false);
        if (answer.ResponseCode != ResponseCode.Success)
        {
            return;
        }

        PopMessageResponseHeader popped = PopMessageResponseHeader.Read(answer.Fields);

        // "0 queue offset,offset,…": one queue was asked for.
        string[] offsets = Encoding.UTF8.GetString(popped.MessageOffsetInfo.Span).Split(' ', ';')[2].Split(',');
        foreach (string offset in offsets)
        {
            string handle = $"{offsets[0]} {popped.PopTimeMs} {popped.InvisibleTimeMs} {popped.ReviveQueueId} 0 rehearsal {queueId} {offset}";
            await AskAsync(
                RequestCode.AckMessage,
                new AckMessageHeader
                {
                    ConsumerGroup = _popGroup,
                    Topic = _topic,
                    QueueId = queueId,
                    ExtraInfo = Encoding.UTF8.GetBytes(handle),
                    Offset = long.Parse(offset, CultureInfo.InvariantCulture),
                }).ConfigureAwait(false);
        }
    }

    private async Task<RemotingCommand> AskAsync<THeader>(RequestCode code, THeader header, ReadOnlyMemory<byte> body = default)
        where THeader : IHeaderFields
    {
        RemotingCommand answer = await _client.InvokeAsync(_address, code, header, body, Timeout).ConfigureAwait(false);
        if (answer.ResponseCode == ResponseCode.Success)
        {
            _successes[code] = _successes.GetValueOrDefault(code) + 1;
        }
        else if (answer.ResponseCode is not (ResponseCode.PullNotFound or ResponseCode.PullRetryImmediately or ResponseCode.PollingTimeout))
        {
            throw new InvalidOperationException($"{code} was answered {answer.ResponseCode}: {answer.Remark}");
        }

        return answer;
    }
}
