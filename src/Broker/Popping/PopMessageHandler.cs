using GrayMQ.Broker.Pulling;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Pops;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// POP_MESSAGE (200050) and NOTIFICATION (200054): checks who asks for what, then takes, and where there is nothing yet parks the
/// request. Codes and remarks are those of RocketMQ's PopMessageProcessor and NotificationProcessor.
/// </summary>
internal sealed class PopMessageHandler
{
    // RocketMQ: PopMessageRequestHeader.isTimeoutTooMuch. Nobody waits for the answer any more.
    private const int MaxLateMs = 500;

    private const int MaxAttemptBytes = 256;

    private readonly PopOptions _options;
    private readonly PopAccess _access;
    private readonly QueuePopper _popper;
    private readonly ParkedPops _parked;
    private readonly SubscriptionFilters _filters;
    private readonly TimeProvider _time;
    private readonly ILogger<PopMessageHandler> _logger;

    public PopMessageHandler(
        PopOptions options,
        PopAccess access,
        QueuePopper popper,
        ParkedPops parked,
        SubscriptionFilters filters,
        TimeProvider time,
        ILogger<PopMessageHandler> logger)
    {
        _options = options;
        _access = access;
        _popper = popper;
        _parked = parked;
        _filters = filters;
        _time = time;
        _logger = logger;
        parked.AnswerWith(AnswerAgain, pop => _popper.HasMessages(in pop));
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    public ValueTask PopAsync(RemotingRequest request, PopMessageHeader header)
    {
        long now = NowMs;
        long born = header.BornTimeMs > 0 ? header.BornTimeMs : now;
        if (now - born - header.PollTimeMs > MaxLateMs)
        {
            throw new RemotingException(
                ResponseCode.PollingTimeout, $"the broker[{_options.BrokerAddress}] pop message is timeout too much");
        }

        PopTarget target = _access.Find(header.ConsumerGroup, header.Topic, header.QueueId, in request, "pop message");
        if (header.MaxMessages is < 1 or > PopCheckPoint.MaxMessages)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                header.MaxMessages < 1
                    ? $"the broker[{_options.BrokerAddress}] pop message's num is less than 1"
                    : $"the broker[{_options.BrokerAddress}] pop message's num is greater than {PopCheckPoint.MaxMessages}");
        }

        CheckInvisible(_options, header.InvisibleTimeMs, least: 1);
        var pop = new Pop(
            request.Responder,
            target,
            header.QueueId,
            header.MaxMessages,
            header.InvisibleTimeMs,
            header.InitMode,
            target.FilterFor(header.ExpressionType.Span, header.Expression.Span, _filters),
            header.IsOrder,
            AttemptOf(header.AttemptId, header.IsOrder),
            Deadline(now, born, header.PollTimeMs),
            IsNotification: false);
        Answer(in pop);
        return ValueTask.CompletedTask;
    }

    public ValueTask NotifyAsync(RemotingRequest request, NotificationHeader header)
    {
        long now = NowMs;
        PopTarget target = _access.Find(header.ConsumerGroup, header.Topic, header.QueueId, in request, "peeking message");
        var pop = new Pop(
            request.Responder,
            target,
            header.QueueId,
            MaxMessages: 0,
            InvisibleMs: 0,
            InitMode: 0,
            Filter: null,
            header.Order,
            AttemptOf(header.AttemptId, header.Order),
            Deadline(now, header.BornTimeMs > 0 ? header.BornTimeMs : now, header.PollTimeMs),
            IsNotification: true);
        Answer(in pop);
        return ValueTask.CompletedTask;
    }

    // It is kept for as long as the pop waits, so that its length is the peer's to choose only within reason (clients send a UUID).
    private static byte[]? AttemptOf(ReadOnlyMemory<byte> attemptId, bool isOrdered) =>
        isOrdered && attemptId.Length is > 0 and <= MaxAttemptBytes ? attemptId.ToArray() : null;

    /// <exception cref="RemotingException">Messages cannot be invisible for such a time (INVALID_PARAMETER).</exception>
    public static void CheckInvisible(PopOptions options, long invisibleMs, long least)
    {
        if (invisibleMs < least || invisibleMs > (long)options.MaxInvisible.TotalMilliseconds)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"the invisible time {invisibleMs} is not one of {least} to {options.MaxInvisible.TotalMilliseconds} ms");
        }
    }

    // The client's clock may be wrong: however long it says, a request waits no longer than it asked to from now on.
    private long Deadline(long now, long born, long pollTimeMs) => pollTimeMs <= 0
        ? 0
        : Math.Min(born, now) + Math.Min(pollTimeMs, (long)_options.MaxPoll.TotalMilliseconds);

    // On the thread pool, where nobody else would answer for what goes wrong.
    private void AnswerAgain(Pop pop)
    {
        try
        {
            if (pop.Responder.Connection.IsClosed)
            {
                // What it was woken for is for the next one.
                _parked.WakeNext(in pop);
            }
            else if (_parked.IsClosed)
            {
                pop.Responder.Reply(ResponseCode.PollingTimeout, "the broker is stopping");
            }
            else if (_access.Problem(pop.Target) is { } problem)
            {
                pop.Responder.Reply(problem.Code, problem.Message);
            }
            else
            {
                Answer(in pop);
            }
        }
        catch (Exception e)
        {
            Log.ParkedPopFailed(_logger, e, pop.Target.Group, pop.Target.Topic.Name);
            pop.Responder.Reply(ResponseCode.SystemError, e.Message);
        }
    }

    private void Answer(in Pop pop)
    {
        if (pop.IsNotification)
        {
            AnswerNotification(in pop);
            return;
        }

        PopWork work = PopWork.OfThread;
        try
        {
            _popper.Take(in pop, work);
            if (work.Count > 0)
            {
                Reply(in pop, ResponseCode.Success, "FOUND", work);
                if (work.Rest > 0)
                {
                    _parked.WakeNext(in pop);
                }

                return;
            }

            if (work.Failure is not null)
            {
                Reply(in pop, ResponseCode.SystemError, "the queue cannot be popped just now", work);
                return;
            }

            switch (_parked.TryPark(in pop))
            {
                case ParkOutcome.Parked:
                    break;
                case ParkOutcome.Full:
                    Reply(in pop, ResponseCode.PollingFull, "NO_MESSAGE_IN_QUEUE", work);
                    break;
                case ParkOutcome.TimeIsUp when work.IsLimited:
                    Reply(
                        in pop,
                        ResponseCode.PollingFull,
                        $"the group has {_options.MaxInFlight} messages of a queue in hand: it has to ack some first",
                        work);
                    break;
                default:
                    Reply(in pop, ResponseCode.PollingTimeout, "NO_MESSAGE_IN_QUEUE", work);
                    break;
            }
        }
        finally
        {
            work.Clear();
        }
    }

    private void AnswerNotification(in Pop pop)
    {
        bool hasMessages = _popper.HasMessages(in pop);
        bool full = false;
        if (!hasMessages)
        {
            ParkOutcome outcome = _parked.TryPark(in pop);
            if (outcome == ParkOutcome.Parked)
            {
                return;
            }

            full = outcome == ParkOutcome.Full;
        }

        pop.Responder.Reply(new NotificationResponseHeader { HasMessage = hasMessages, PollingFull = full });
    }

    private static void Reply(in Pop pop, ResponseCode code, string remark, PopWork work)
    {
        var header = new PopMessageResponseHeader
        {
            PopTimeMs = work.PopTimeMs,
            InvisibleTimeMs = pop.InvisibleMs,
            ReviveQueueId = pop.IsOrdered ? PopHandle.OrderedReviveQueueId : 0,
            RestCount = work.Rest,
            StartOffsetInfo = work.StartOffsetInfo,
            MessageOffsetInfo = work.MessageOffsetInfo,
            OrderCountInfo = work.OrderCountInfo,
        };
        if (code == ResponseCode.Success)
        {
            pop.Responder.Reply(code, remark, in header, in work);
        }
        else
        {
            pop.Responder.Reply(code, remark, in header);
        }
    }
}
