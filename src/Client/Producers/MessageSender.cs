using System.Collections.Immutable;
using System.Text;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Telemetry;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Producers;

/// <summary>Brings messages to brokers: finds the queue, and tries again elsewhere what failed, within one limit of time.</summary>
internal sealed class MessageSender
{
    // No further attempt is begun in less: timers are no more exact than that, and no answer would come.
    private static readonly TimeSpan LeastAttempt = TimeSpan.FromMilliseconds(10);

    private readonly ClientSession _session;
    private readonly SendTelemetry _telemetry;
    private readonly ProducerOptions _options;
    private readonly ILogger _logger;
    private readonly BrokerFaults _faults;
    private readonly QueueRotation _rotation;

    // Of their own, so that queues of neither side are passed over when messages of both alternate.
    private readonly QueueRotation _grayRotation;
    private readonly Backoff _backoff;
    private readonly ReadOnlyMemory<byte> _groupUtf8;
    private readonly ReadOnlyMemory<byte> _defaultTopicUtf8;

    public MessageSender(ClientSession session, ProducerOptions options, ILogger logger)
    {
        _session = session;
        _telemetry = new SendTelemetry(session.Time);
        _options = options;
        _logger = logger;
        _faults = new BrokerFaults(session.Leaving, session.Time);
        var slowStart = new SlowStart(session.Routes.Arrivals, options.SlowStart);
        _rotation = new QueueRotation(_faults, slowStart);
        _grayRotation = new QueueRotation(_faults, slowStart);
        _backoff = new Backoff(options.RetryBackoff, options.MaxRetryBackoff);
        _groupUtf8 = Encoding.UTF8.GetBytes(options.Group);
        _defaultTopicUtf8 = Encoding.UTF8.GetBytes(options.DefaultTopic);
    }

    /// <summary>Sends to the queue whose turn it is, and where that fails to others.</summary>
    public Task<SendResult> SendAsync(OutgoingMessage message, CancellationToken cancel) => SendTelemetry.IsOn
        ? _telemetry.RecordAsync(_session.Time.GetTimestamp(), message, SendByTurnsAsync(message, cancel))
        : SendByTurnsAsync(message, cancel);

    /// <summary>Sends to one queue, once.</summary>
    public Task<SendResult> SendAsync(OutgoingMessage message, MessageQueue queue, CancellationToken cancel) => SendTelemetry.IsOn
        ? _telemetry.RecordAsync(_session.Time.GetTimestamp(), message, SendToAsync(message, queue, cancel))
        : SendToAsync(message, queue, cancel);

    /// <summary>Sends without waiting for an answer, to the queue given or to that whose turn it is.</summary>
    public Task SendOneWayAsync(OutgoingMessage message, MessageQueue? queue, CancellationToken cancel) => SendTelemetry.IsOn
        ? _telemetry.RecordAsync(_session.Time.GetTimestamp(), message, WriteAsync(message, queue, cancel))
        : WriteAsync(message, queue, cancel);

    private async Task<SendResult> SendByTurnsAsync(OutgoingMessage message, CancellationToken cancel)
    {
        var deadline = new Deadline(_session.Time, _options.SendTimeout);
        TopicRoute route = await FindRouteAsync(message.Topic, deadline, cancel).ConfigureAwait(false);
        int attempts = 1 + _options.Retries;
        List<string>? failed = null;
        Exception? last = null;
        SendResult? unsure = null;
        for (int attempt = 1; attempt <= attempts && (attempt == 1 || deadline.Left >= LeastAttempt); attempt++)
        {
            IReadOnlyList<string> tried = failed ?? (IReadOnlyList<string>)[];
            MessageQueue queue = RotationOf(message).Next(message.Topic, QueuesFor(route, message), tried);
            if (tried.Contains(queue.BrokerName))
            {
                await Task.Delay(deadline.Limit(PauseAfter(attempt - 1)), _session.Time, cancel).ConfigureAwait(false);
            }

            long start = _session.Time.GetTimestamp();
            try
            {
                TimeSpan limit = deadline.Limit(attempt < attempts ? _options.AttemptTimeout : null);
                SendResult result = await SendOnceAsync(route, queue, message, limit, cancel).ConfigureAwait(false);
                _faults.Trust(queue.BrokerName);
                if (result.Status == SendStatus.Ok || !_options.RetryWhenNotStoredSurely)
                {
                    return result;
                }

                unsure = result;
            }
            catch (Exception e) when (IsRetried(e))
            {
                last = e;
                Blame(message.Topic, queue.BrokerName, e);
            }

            failed ??= new List<string>(attempts);
            failed.Add(queue.BrokerName);
            Log.SendAttemptFailed(
                _logger,
                attempt,
                queue,
                (long)_session.Time.GetElapsedTime(start).TotalMilliseconds,
                last?.Message ?? unsure?.Status.ToString() ?? "");
            route = _session.Routes.Peek(message.Topic) is { WritableQueues.IsEmpty: false } newer ? newer : route;
        }

        return unsure ?? throw new SendFailedException(
            $"a message of topic {message.Topic} was not acknowledged within {_options.SendTimeout.TotalMilliseconds:F0} ms "
            + $"and {attempts} attempts; tried {string.Join(", ", failed ?? [])}: {last?.Message}",
            failed ?? [],
            last);
    }

    private async Task<SendResult> SendToAsync(OutgoingMessage message, MessageQueue queue, CancellationToken cancel)
    {
        var deadline = new Deadline(_session.Time, _options.SendTimeout);
        TopicRoute route = await FindRouteAsync(message.Topic, deadline, cancel).ConfigureAwait(false);
        try
        {
            return await SendOnceAsync(route, queue, message, deadline.Limit(null), cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (IsRetried(e))
        {
            Blame(message.Topic, queue.BrokerName, e);
            throw;
        }
    }

    private async Task WriteAsync(OutgoingMessage message, MessageQueue? queue, CancellationToken cancel)
    {
        var deadline = new Deadline(_session.Time, _options.SendTimeout);
        TopicRoute route = await FindRouteAsync(message.Topic, deadline, cancel).ConfigureAwait(false);
        MessageQueue to = queue ?? RotationOf(message).Next(message.Topic, QueuesFor(route, message), []);
        RouteBroker broker = RequireBroker(route, to);
        try
        {
            await _session.Servers
                .SendOneWayAsync(
                    RequireMaster(broker),
                    message.RequestCode,
                    Header(route, broker, to.QueueId, message),
                    message.Body,
                    deadline.Limit(null),
                    cancel)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (IsRetried(e))
        {
            Blame(message.Topic, to.BrokerName, e);
            throw;
        }
    }

    /// <summary>The topic's writable queues.</summary>
    public async Task<IReadOnlyList<MessageQueue>> FindQueuesAsync(string topic, CancellationToken cancel)
    {
        var deadline = new Deadline(_session.Time, _options.SendTimeout);
        TopicRoute route = await FindRouteAsync(topic, deadline, cancel).ConfigureAwait(false);
        return route.WritableQueues;
    }

    /// <summary>Those queues that messages of one side go to; all where none of them is, for the broker to move the message.</summary>
    public static IReadOnlyList<MessageQueue> OfSide(GrayQueues? live, Side side, IReadOnlyList<MessageQueue> queues)
    {
        if (live is not { } gray)
        {
            return queues;
        }

        MessageQueue[] own = [.. queues.Where(queue => gray.SideOf(queue.QueueId) == side)];
        return own.Length > 0 ? own : queues;
    }

    private QueueRotation RotationOf(OutgoingMessage message) => message.Side == Side.Gray ? _grayRotation : _rotation;

    private ImmutableArray<MessageQueue> QueuesFor(TopicRoute route, OutgoingMessage message) =>
        _session.GrayState.FindLive(message.Topic) is { } live ? [.. OfSide(live, message.Side, route.WritableQueues)] : route.WritableQueues;

    // RocketMQ: DefaultMQProducer.retryResponseCodes; and a broker that leaves says GO_AWAY.
    private static bool IsRetried(Exception e) => e switch
    {
        BrokerException refused => refused.Code is ResponseCode.TopicNotExist
            or ResponseCode.ServiceNotAvailable
            or ResponseCode.SystemError
            or ResponseCode.SystemBusy
            or ResponseCode.NoPermission
            or ResponseCode.NoBuyerId
            or ResponseCode.NotInCurrentUnit
            or ResponseCode.GoAway,
        ConnectionClosedException or TimeoutException => true,
        _ => false,
    };

    private static RouteBroker RequireBroker(TopicRoute route, MessageQueue queue) =>
        route.FindBroker(queue.BrokerName)
        ?? throw new RouteNotFoundException($"topic {route.Topic} has no queue at broker {queue.BrokerName}");

    private static string RequireMaster(RouteBroker broker) =>
        broker.Master ?? throw new RouteNotFoundException($"no master of broker {broker.Name} is there");

    private void Blame(string topic, string brokerName, Exception e)
    {
        switch (e)
        {
            case BrokerException { Code: ResponseCode.TopicNotExist }:
                // Says nothing about other topics.
                _session.Routes.RequestRefresh(topic);
                break;
            case BrokerException:
                _faults.Avoid(brokerName, _options.AvoidRefusingBroker);
                break;
            default:
                _faults.Avoid(brokerName, _options.AvoidUnreachableBroker);
                _session.Routes.RequestRefresh(topic);
                break;
        }
    }

    private async ValueTask<TopicRoute> FindRouteAsync(string topic, Deadline deadline, CancellationToken cancel)
    {
        if (_session.Routes.Peek(topic) is { WritableQueues.IsEmpty: false } known)
        {
            return known;
        }

        try
        {
            return await _session.Routes
                .FindForSendingAsync(topic, _options.DefaultTopic, _options.DefaultTopicQueueCount, cancel)
                .AsTask()
                .WaitAsync(deadline.Limit(null), _session.Time, cancel)
                .ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new NameServersUnavailableException(
                $"no name server told the route of topic {topic} within {_options.SendTimeout.TotalMilliseconds:F0} ms", e);
        }
    }

    private async Task<SendResult> SendOnceAsync(
        TopicRoute route, MessageQueue queue, OutgoingMessage message, TimeSpan limit, CancellationToken cancel)
    {
        RouteBroker broker = RequireBroker(route, queue);
        string address = RequireMaster(broker);
        RemotingCommand response = await _session.Servers
            .InvokeAsync(
                address, message.RequestCode, Header(route, broker, queue.QueueId, message), message.Body, limit, cancel)
            .ConfigureAwait(false);
        SendStatus status = response.ResponseCode switch
        {
            ResponseCode.Success => SendStatus.Ok,
            ResponseCode.FlushDiskTimeout => SendStatus.FlushDiskTimeout,
            ResponseCode.FlushSlaveTimeout => SendStatus.FlushReplicaTimeout,
            ResponseCode.SlaveNotAvailable => SendStatus.ReplicaNotAvailable,
            _ => throw new BrokerException(response.ResponseCode, address, response.Remark),
        };
        SendMessageResponseHeader stored = SendMessageResponseHeader.Read(response.Fields);
        _session.Leaving.Tell(queue.BrokerName, stored.Leaving);
        return new SendResult
        {
            Status = status,
            MessageId = message.MessageId,
            OffsetMessageId = stored.MessageId,
            Queue = queue with { QueueId = stored.QueueId },
            QueueOffset = stored.QueueOffset,
            RecallHandle = stored.RecallHandle,
            TransactionId = stored.TransactionId,
        };
    }

    private SendMessageHeader Header(TopicRoute route, RouteBroker broker, int queueId, OutgoingMessage message) => new()
    {
        ProducerGroup = _groupUtf8,
        Topic = route.TopicUtf8,
        DefaultTopic = _defaultTopicUtf8,
        DefaultTopicQueueNums = _options.DefaultTopicQueueCount,
        QueueId = queueId,
        SysFlag = message.SysFlag,
        BornTimestampMs = _session.Time.GetUtcNow().ToUnixTimeMilliseconds(),
        Flag = message.Flag,
        Properties = message.Properties,
        Batch = message.IsBatch,
        BrokerName = broker.NameUtf8,
    };

    // Half of the pause is left to chance, so that producers that failed together do not return together.
    private TimeSpan PauseAfter(int failures) => _backoff.After(failures) * (0.5 + (Random.Shared.NextDouble() / 2));
}
