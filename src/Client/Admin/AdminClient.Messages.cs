using System.Buffers;
using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Admin;

/// <content>Messages of one broker, looked at from outside of any group.</content>
public sealed partial class AdminClient
{
    private static readonly byte[] ToolsGroup = Encoding.UTF8.GetBytes(GroupNames.Tools);

    /// <summary>The first offset of a queue.</summary>
    public async Task<long> GetMinOffsetAsync(string address, MessageQueue queue, CancellationToken cancel = default) =>
        Offset(await CallAsync(address, RequestCode.GetMinOffset, new QueueHeader(queue.Topic, queue.QueueId), cancel)
            .ConfigureAwait(false));

    /// <summary>The offset that a queue's next message will get.</summary>
    public async Task<long> GetMaxOffsetAsync(string address, MessageQueue queue, CancellationToken cancel = default) =>
        Offset(await CallAsync(address, RequestCode.GetMaxOffset, new QueueHeader(queue.Topic, queue.QueueId), cancel)
            .ConfigureAwait(false));

    /// <summary>The offset of a queue's first message that was stored at a time (milliseconds since 1970) or later.</summary>
    public async Task<long> FindOffsetAsync(
        string address, MessageQueue queue, long timestampMs, CancellationToken cancel = default) =>
        Offset(await CallAsync(
            address,
            RequestCode.SearchOffsetByTimestamp,
            new SearchOffsetHeader(queue.Topic, queue.QueueId, timestampMs, BoundaryType: null),
            cancel).ConfigureAwait(false));

    /// <summary>The message at a position of a broker's commit log; null when there is none.</summary>
    public async Task<ReceivedMessage?> FindMessageAsync(string address, long physicalOffset, CancellationToken cancel = default)
    {
        RemotingCommand answer = await _session.Servers.InvokeAsync(
            address, RequestCode.ViewMessageById, new ViewMessageHeader(physicalOffset), default, _session.Servers.Timeout, cancel)
            .ConfigureAwait(false);
        return answer.ResponseCode switch
        {
            ResponseCode.Success => MessageDecoder.DecodeAll(answer.Body.ToArray()).FirstOrDefault(),

            // RocketMQ has no code of its own for it.
            ResponseCode.SystemError or ResponseCode.QueryNotFound => null,
            _ => throw new BrokerException(answer.ResponseCode, address, answer.Remark),
        };
    }

    /// <summary>Messages of a topic at a broker that have a key, the newest first; none when there are none.</summary>
    public async Task<IReadOnlyList<ReceivedMessage>> QueryMessagesAsync(
        string address, QueryMessageHeader query, CancellationToken cancel = default)
    {
        RemotingCommand answer = await _session.Servers.InvokeAsync(
            address, RequestCode.QueryMessage, query, default, _session.Servers.Timeout, cancel).ConfigureAwait(false);
        return answer.ResponseCode switch
        {
            ResponseCode.Success => MessageDecoder.DecodeAll(answer.Body.ToArray()),
            ResponseCode.QueryNotFound => [],
            _ => throw new BrokerException(answer.ResponseCode, address, answer.Remark),
        };
    }

    /// <summary>Reads messages of a queue without consuming them: no group's offset changes.</summary>
    /// <param name="address">The broker that has the queue.</param>
    /// <param name="offset">Where to begin.</param>
    /// <param name="maxMessages">Most messages; brokers have a limit of their own.</param>
    /// <param name="expression">Tags separated by <c>||</c>, or <c>*</c>.</param>
    /// <param name="wait">How long the broker may wait where there is no message yet; zero answers at once.</param>
    public async Task<PulledMessages> PullAsync(
        string address,
        MessageQueue queue,
        long offset,
        int maxMessages,
        string expression = "*",
        TimeSpan wait = default,
        CancellationToken cancel = default)
    {
        var header = new PullMessageHeader
        {
            ConsumerGroup = ToolsGroup,
            Topic = Encoding.UTF8.GetBytes(queue.Topic),
            QueueId = queue.QueueId,
            QueueOffset = offset,
            MaxMessages = maxMessages,
            SysFlag = PullSysFlag.Subscription | (wait > TimeSpan.Zero ? PullSysFlag.Suspend : PullSysFlag.None),
            SuspendTimeoutMs = (long)wait.TotalMilliseconds,
            Subscription = Encoding.UTF8.GetBytes(expression),
            ExpressionType = "TAG"u8.ToArray(),
        };
        RemotingCommand answer = await _session.Servers.InvokeAsync(
            address, RequestCode.PullMessage, header, default, _session.Servers.Timeout + wait, cancel).ConfigureAwait(false);
        PullStatus status = answer.ResponseCode switch
        {
            ResponseCode.Success => PullStatus.Found,
            ResponseCode.PullNotFound => PullStatus.Nothing,
            ResponseCode.PullRetryImmediately => PullStatus.NothingMatched,
            ResponseCode.PullOffsetMoved => PullStatus.OffsetMoved,
            _ => throw new BrokerException(answer.ResponseCode, address, answer.Remark),
        };
        PullMessageResponseHeader found = PullMessageResponseHeader.Read(answer.Fields);
        return new PulledMessages
        {
            Status = status,
            Messages = status == PullStatus.Found ? MessageDecoder.DecodeAll(answer.Body.ToArray()) : [],
            NextOffset = found.NextBeginOffset,
            MinOffset = found.MinOffset,
            MaxOffset = found.MaxOffset,
        };
    }

    /// <summary>
    /// Stores a message again, in a queue and with properties of choice, RocketMQ's own among them: as an operator's tool does with dead
    /// letters. It counts as one that was never consumed before.
    /// </summary>
    /// <param name="address">The broker that has the queue.</param>
    /// <exception cref="BrokerException">The broker did not store it.</exception>
    public async Task<SendMessageResponseHeader> SendAgainAsync(
        string address,
        MessageQueue queue,
        ReceivedMessage message,
        IReadOnlyDictionary<string, string> properties,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(properties);
        var header = new SendMessageHeader
        {
            ProducerGroup = ToolsGroup,
            Topic = Encoding.UTF8.GetBytes(queue.Topic),
            DefaultTopic = Encoding.UTF8.GetBytes(TopicNames.AutoCreateTemplate),
            QueueId = queue.QueueId,
            Flag = message.Flag,
            BornTimestampMs = message.BornTimestampMs,
            Properties = MessagePropertiesCodec.ToBytes(properties),
        };
        RemotingCommand answer = await _session.Servers.InvokeAsync(
            address, RequestCode.SendMessageV2, header, message.Body, _session.Servers.Timeout, cancel).ConfigureAwait(false);

        // The others say how surely it is stored.
        return answer.ResponseCode is ResponseCode.Success or ResponseCode.FlushDiskTimeout or ResponseCode.FlushSlaveTimeout
            or ResponseCode.SlaveNotAvailable
            ? SendMessageResponseHeader.Read(answer.Fields)
            : throw new BrokerException(answer.ResponseCode, address, answer.Remark);
    }

    private static long Offset(RemotingCommand answer) => OffsetResponseHeader.Read(answer.Fields).Offset;
}
