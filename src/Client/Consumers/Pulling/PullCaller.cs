using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Admin;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Consumers.Pulling;

/// <summary>
/// Pulls messages of queues from whichever node of a broker is to be read, and makes of them what consumers are handed: only the tags
/// that were asked for, and under their original topic where they come from the retry topic.
/// </summary>
internal sealed class PullCaller
{
    private readonly ClientSession _session;
    private readonly PullSettings _settings;
    private readonly ReadOnlyMemory<byte> _groupUtf8;
    private readonly string _retryTopic;
    private readonly ConcurrentDictionary<MessageQueue, long> _readFrom = new();

    public PullCaller(ClientSession session, PullSettings settings)
    {
        _session = session;
        _settings = settings;
        _groupUtf8 = Encoding.UTF8.GetBytes(settings.Group);
        _retryTopic = TopicNames.RetryOf(settings.Group);
    }

    /// <summary>Asks for the messages from <paramref name="offset"/> on; where there are none, the broker may wait for one.</summary>
    /// <param name="commitOffset">What the group has handled, to be committed by the way; null commits nothing.</param>
    /// <param name="suspend">How long to wait for a first message; null takes the settings' time.</param>
    /// <exception cref="RouteNotFoundException">The queue's broker is not there.</exception>
    /// <exception cref="BrokerException">The broker refused.</exception>
    public async Task<PullResult> PullAsync(
        MessageQueue queue,
        SubscriptionData subscription,
        long offset,
        long? commitOffset,
        TimeSpan? suspend,
        CancellationToken cancel)
    {
        TopicRoute? route = await _session.Routes.FindAsync(queue.Topic, cancel).ConfigureAwait(false);
        bool isMaster = false;
        string address = route?.FindBroker(queue.BrokerName)?.FindReader(_readFrom.GetValueOrDefault(queue), out isMaster)
            ?? throw new RouteNotFoundException($"broker {queue.BrokerName} of {queue.Topic} is not there");
        TimeSpan wait = suspend ?? _settings.Suspend;
        PullSysFlag flag = (_settings.IsLite ? PullSysFlag.LitePull | PullSysFlag.Subscription : PullSysFlag.None)
            | (wait > TimeSpan.Zero ? PullSysFlag.Suspend : PullSysFlag.None)
            | (commitOffset is not null && isMaster ? PullSysFlag.CommitOffset : PullSysFlag.None);
        var header = new PullMessageHeader
        {
            ConsumerGroup = _groupUtf8,
            Topic = route.TopicUtf8,
            QueueId = queue.QueueId,
            QueueOffset = offset,
            MaxMessages = _settings.BatchSize,
            SysFlag = flag,
            CommitOffset = commitOffset ?? 0,
            SuspendTimeoutMs = (long)wait.TotalMilliseconds,
            Subscription = _settings.IsLite ? Encoding.UTF8.GetBytes(subscription.SubString) : default,
            SubVersion = subscription.SubVersion,
            ExpressionType = Encoding.UTF8.GetBytes(subscription.ExpressionType ?? ""),
            MaxMessageBytes = _settings.MaxBytes,
            GrayFlag = _session.Gray.Flag,
        };
        RemotingCommand response = await _session.Servers
            .InvokeAsync(
                address,
                _settings.IsLite ? RequestCode.LitePullMessage : RequestCode.PullMessage,
                header,
                default,
                _settings.Timeout,
                cancel)
            .ConfigureAwait(false);
        PullStatus status = response.ResponseCode switch
        {
            ResponseCode.Success => PullStatus.Found,
            ResponseCode.PullNotFound => PullStatus.Nothing,
            ResponseCode.PullRetryImmediately => PullStatus.NothingMatched,
            ResponseCode.PullOffsetMoved => PullStatus.OffsetMoved,
            _ => throw new BrokerException(response.ResponseCode, address, response.Remark),
        };
        PullMessageResponseHeader stands = PullMessageResponseHeader.Read(response.Fields);
        _readFrom[queue] = stands.SuggestWhichBrokerId;
        return new PullResult(
            status,
            stands.NextBeginOffset,
            stands.MinOffset,
            stands.MaxOffset,
            status == PullStatus.Found ? Decode(queue, subscription, response.Body) : []);
    }

    /// <summary>Forgets which node the queue was read from.</summary>
    public void Forget(MessageQueue queue) => _readFrom.TryRemove(queue, out _);

    /// <summary>A message as its consumer is handed it: from the retry topic, under the topic that it was sent to.</summary>
    public ReceivedMessage ToHandedOut(ReceivedMessage message, string brokerName)
    {
        string topic = message.Topic == _retryTopic
            && message.Properties.TryGetValue(MessageProperty.RetryTopic, out string? original)
                ? original
                : message.Topic;
        return message with { Topic = topic, BrokerName = brokerName };
    }

    private List<ReceivedMessage> Decode(MessageQueue queue, SubscriptionData subscription, in ReadOnlySequence<byte> body)
    {
        ReadOnlySpan<byte> records = body.IsSingleSegment ? body.FirstSpan : body.ToArray();
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll(records);
        int kept = 0;
        for (int i = 0; i < messages.Count; i++)
        {
            ReceivedMessage message = messages[i];

            // Brokers filter by the tags' hash codes, of which different tags may have the same.
            if (subscription.TagsSet.Count == 0 || (message.Tags is { } tag && subscription.TagsSet.Contains(tag)))
            {
                messages[kept++] = ToHandedOut(message, queue.BrokerName);
            }
        }

        messages.RemoveRange(kept, messages.Count - kept);
        return messages;
    }
}
