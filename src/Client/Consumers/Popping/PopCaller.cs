using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.Popping;

/// <summary>The requests of pop: one call, one request to a master.</summary>
internal sealed class PopCaller
{
    // RocketMQ: ConsumeInitMode.
    private const int BeginWithFirst = 0;
    private const int BeginWithNext = 1;

    // Acknowledgements further than this from where their pop began are sent alone: the bits between would be a long body.
    private const int MaxBits = 4096;

    private readonly ClientSession _session;
    private readonly PopOptions _options;
    private readonly ReadOnlyMemory<byte> _groupUtf8;

    // Brokers that do not know BATCH_ACK_MESSAGE.
    private readonly ConcurrentDictionary<string, bool> _withoutBatches = new(StringComparer.Ordinal);

    public PopCaller(ClientSession session, PopOptions options)
    {
        _session = session;
        _options = options;
        _groupUtf8 = Encoding.UTF8.GetBytes(options.Group);
    }

    /// <summary>Pops a queue, or with queue id −1 any queue of a broker.</summary>
    /// <param name="poll">How long the broker may wait for a first message.</param>
    /// <param name="attemptId">Names an attempt of an orderly pop, so that it can be repeated; null otherwise.</param>
    /// <param name="unwanted">Told the handles of messages that the subscription's tags do not match after all.</param>
    /// <exception cref="RouteNotFoundException">The broker is not there.</exception>
    /// <exception cref="BrokerException">The broker refused.</exception>
    /// <exception cref="FormatException">The reply cannot be understood.</exception>
    /// <exception cref="InvalidDataException">A message cannot be read.</exception>
    public async Task<PopResult> PopAsync(
        MessageQueue target,
        SubscriptionData subscription,
        int maxMessages,
        TimeSpan poll,
        string? attemptId,
        Action<ReceiptHandle> unwanted,
        CancellationToken cancel)
    {
        string address = await RequireMasterAsync(target.Topic, target.BrokerName, cancel).ConfigureAwait(false);
        var header = new PopMessageHeader
        {
            ConsumerGroup = _groupUtf8,
            Topic = Encoding.UTF8.GetBytes(target.Topic),
            QueueId = target.QueueId,
            MaxMessages = maxMessages,
            InvisibleTimeMs = (long)_options.InvisibleTime.TotalMilliseconds,
            PollTimeMs = (long)poll.TotalMilliseconds,
            BornTimeMs = _session.Time.GetUtcNow().ToUnixTimeMilliseconds(),
            InitMode = _options.ConsumeFrom == ConsumeFrom.First ? BeginWithFirst : BeginWithNext,
            ExpressionType = Encoding.UTF8.GetBytes(subscription.ExpressionType ?? ""),
            Expression = Encoding.UTF8.GetBytes(subscription.SubString),
            IsOrder = _options.Orderly,
            AttemptId = Encoding.UTF8.GetBytes(attemptId ?? ""),
            BrokerName = Encoding.UTF8.GetBytes(target.BrokerName),
        };
        RemotingCommand response = await _session.Servers
            .InvokeAsync(address, RequestCode.PopMessage, header, default, _session.Servers.Timeout + poll, cancel)
            .ConfigureAwait(false);
        DateTimeOffset until = _session.Time.GetUtcNow() + _options.InvisibleTime;
        return response.ResponseCode switch
        {
            ResponseCode.Success => new PopResult(
                PopStatus.Found, Decode(response, target, subscription, until, unwanted)),
            ResponseCode.PollingTimeout or ResponseCode.PullNotFound => new PopResult(PopStatus.Nothing, []),
            ResponseCode.PollingFull => new PopResult(PopStatus.Full, []),
            _ => throw new BrokerException(response.ResponseCode, address, response.Remark),
        };
    }

    /// <summary>Acknowledges one message.</summary>
    /// <exception cref="RouteNotFoundException">The broker is not there.</exception>
    /// <exception cref="BrokerException">The broker refused.</exception>
    public async Task AckAsync(ReceiptHandle handle, CancellationToken cancel)
    {
        string address = await RequireMasterAsync(handle.Topic, handle.BrokerName, cancel).ConfigureAwait(false);
        var header = new AckMessageHeader
        {
            ConsumerGroup = _groupUtf8,
            Topic = Encoding.UTF8.GetBytes(handle.StoredIn(_options.Group)),
            QueueId = handle.QueueId,
            ExtraInfo = handle.ExtraInfo,
            Offset = handle.QueueOffset,
            BrokerName = Encoding.UTF8.GetBytes(handle.BrokerName),
        };
        await _session.Servers.CallAsync(address, RequestCode.AckMessage, header, cancel: cancel).ConfigureAwait(false);
    }

    /// <summary>
    /// Acknowledges messages of one broker, in one request where the broker knows that: it then does not tell which of them it did not
    /// find.
    /// </summary>
    /// <returns>Those that may not have been taken, each with what <see cref="AckAsync"/> would throw; the others are.</returns>
    /// <exception cref="OperationCanceledException">The caller does not want to wait any longer.</exception>
    public async Task<IReadOnlyList<(ReceiptHandle Handle, Exception Error)>> AckAllAsync(
        IReadOnlyList<ReceiptHandle> handles, CancellationToken cancel)
    {
        var failures = new List<(ReceiptHandle, Exception)>();
        IEnumerable<ReceiptHandle> alone = handles;
        if (handles.Count > 1)
        {
            ILookup<bool, ReceiptHandle> fitting = handles.ToLookup(handle => handle.QueueOffset - handle.StartOffset < MaxBits);
            try
            {
                if (await TryAckBatchAsync([.. fitting[true]], cancel).ConfigureAwait(false))
                {
                    alone = fitting[false];
                }
            }
            catch (Exception e) when (!IsCanceled(e, cancel))
            {
                failures.AddRange(fitting[true].Select(handle => (handle, e)));
                alone = fitting[false];
            }
        }

        foreach ((ReceiptHandle handle, Exception? error) in await Task.WhenAll(alone.Select(TryAckAsync)).ConfigureAwait(false))
        {
            if (error is not null)
            {
                failures.Add((handle, error));
            }
        }

        return failures;

        async Task<(ReceiptHandle Handle, Exception? Error)> TryAckAsync(ReceiptHandle handle)
        {
            try
            {
                await AckAsync(handle, cancel).ConfigureAwait(false);
                return (handle, null);
            }
            catch (Exception e) when (!IsCanceled(e, cancel))
            {
                return (handle, e);
            }
        }
    }

    /// <summary>Has a message come again after another time from now on; the handle that it had is void.</summary>
    /// <returns>Its new handle.</returns>
    /// <inheritdoc cref="AckAsync"/>
    public async Task<ReceiptHandle> ChangeInvisibleAsync(ReceiptHandle handle, TimeSpan invisible, CancellationToken cancel)
    {
        string address = await RequireMasterAsync(handle.Topic, handle.BrokerName, cancel).ConfigureAwait(false);
        byte[] brokerName = Encoding.UTF8.GetBytes(handle.BrokerName);
        var header = new ChangeInvisibleTimeHeader
        {
            ConsumerGroup = _groupUtf8,
            Topic = Encoding.UTF8.GetBytes(handle.StoredIn(_options.Group)),
            QueueId = handle.QueueId,
            ExtraInfo = handle.ExtraInfo,
            Offset = handle.QueueOffset,
            InvisibleTimeMs = (long)invisible.TotalMilliseconds,
            BrokerName = brokerName,
        };
        RemotingCommand response = await _session.Servers
            .CallAsync(address, RequestCode.ChangeMessageInvisibleTime, header, cancel: cancel)
            .ConfigureAwait(false);
        ChangeInvisibleTimeResponseHeader changed = ChangeInvisibleTimeResponseHeader.Read(response.Fields);
        return ReceiptHandle.Create(handle.Topic, new PopHandle
        {
            StartOffset = handle.QueueOffset,
            PopTimeMs = changed.PopTimeMs,
            InvisibleTimeMs = changed.InvisibleTimeMs,
            ReviveQueueId = changed.ReviveQueueId,
            Kind = handle.Kind,
            BrokerName = brokerName,
            QueueId = handle.QueueId,
            QueueOffset = handle.QueueOffset,
        });
    }

    private static bool IsCanceled(Exception e, CancellationToken cancel) =>
        e is OperationCanceledException && cancel.IsCancellationRequested;

    // False when the broker does not know batches, or there is nothing to send.
    private async Task<bool> TryAckBatchAsync(IReadOnlyList<ReceiptHandle> handles, CancellationToken cancel)
    {
        if (handles.Count == 0)
        {
            return false;
        }

        string brokerName = handles[0].BrokerName;
        string address = await RequireMasterAsync(handles[0].Topic, brokerName, cancel).ConfigureAwait(false);
        if (_withoutBatches.ContainsKey(address))
        {
            return false;
        }

        var body = new BatchAckMessageRequestBody
        {
            BrokerName = brokerName,
            Acks = [.. handles
                .GroupBy(handle => (handle.Topic, handle.Kind, handle.QueueId, handle.StartOffset, handle.PopTimeMs, handle.ReviveQueueId))
                .Select(pop => new BatchAck
                {
                    ConsumerGroup = _options.Group,
                    Topic = pop.Key.Topic,
                    Retry = ((char)pop.Key.Kind).ToString(),
                    StartOffset = pop.Key.StartOffset,
                    QueueId = pop.Key.QueueId,
                    ReviveQueueId = pop.Key.ReviveQueueId,
                    PopTimeMs = pop.Key.PopTimeMs,
                    InvisibleTimeMs = pop.First().InvisibleTimeMs,
                    Bits = Bits(pop.Select(handle => (int)(handle.QueueOffset - handle.StartOffset))),
                })],
        };
        RemotingCommand response = await _session.Servers
            .InvokeAsync(
                address,
                RequestCode.BatchAckMessage,
                default(NoHeader),
                BodyCodec.Encode(body),
                _session.Servers.Timeout,
                cancel)
            .ConfigureAwait(false);
        switch (response.ResponseCode)
        {
            case ResponseCode.Success:
                return true;
            case ResponseCode.RequestCodeNotSupported:
                _withoutBatches[address] = true;
                return false;
            default:
                throw new BrokerException(response.ResponseCode, address, response.Remark);
        }
    }

    private static byte[] Bits(IEnumerable<int> set)
    {
        int[] bits = [.. set];
        byte[] bytes = new byte[(bits.Max() / 8) + 1];
        foreach (int bit in bits)
        {
            bytes[bit / 8] |= (byte)(1 << (bit % 8));
        }

        return bytes;
    }

    private static List<PoppedMessage> Decode(
        RemotingCommand response,
        MessageQueue target,
        SubscriptionData subscription,
        DateTimeOffset until,
        Action<ReceiptHandle> unwanted)
    {
        PopMessageResponseHeader reply = PopMessageResponseHeader.Read(response.Fields);
        var receipts = new PopReceipts(reply, target.Topic, target.BrokerName);
        var messages = new List<PoppedMessage>();
        foreach (ReceivedMessage stored in MessageDecoder.DecodeAll(response.Body.ToArray()))
        {
            (ReceivedMessage message, ReceiptHandle handle) = receipts.Next(stored, target.BrokerName);

            // Brokers filter by the tags' hash codes, of which different tags may have the same.
            if (subscription.TagsSet.Count > 0 && (message.Tags is not { } tag || !subscription.TagsSet.Contains(tag)))
            {
                unwanted(handle);
                continue;
            }

            messages.Add(new PoppedMessage { Message = message, Handle = handle, InvisibleUntil = until });
        }

        return messages;
    }

    private async ValueTask<string> RequireMasterAsync(string topic, string brokerName, CancellationToken cancel)
    {
        TopicRoute? route = await _session.Routes.FindAsync(topic, cancel).ConfigureAwait(false);
        return route?.FindMaster(brokerName)
            ?? throw new RouteNotFoundException($"no master of broker {brokerName} is there for topic {topic}");
    }
}
