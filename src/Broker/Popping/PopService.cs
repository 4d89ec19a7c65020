using GrayMQ.Broker.Lifecycle;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// Serves pops that have passed all checks: takes what there is, and where there is nothing yet lets the pop wait. Codes and remarks are
/// those of RocketMQ's PopMessageProcessor and NotificationProcessor.
/// </summary>
internal sealed class PopService
{
    private readonly PopOptions _options;
    private readonly PopAccess _access;
    private readonly QueuePopper _popper;
    private readonly PoppableQueues _queues;
    private readonly ParkedPops _parked;
    private readonly BrokerLifecycle _lifecycle;
    private readonly ILogger<PopService> _logger;

    public PopService(
        PopOptions options,
        PopAccess access,
        QueuePopper popper,
        PoppableQueues queues,
        ParkedPops parked,
        BrokerLifecycle lifecycle,
        ILogger<PopService> logger)
    {
        _options = options;
        _access = access;
        _popper = popper;
        _queues = queues;
        _parked = parked;
        _lifecycle = lifecycle;
        _logger = logger;
        parked.AnswerWith(ServeAgain, pop => queues.HasMessages(in pop));
    }

    /// <summary>Answers the pop, now or later.</summary>
    public void Serve(in Pop pop)
    {
        if (pop.IsNotification)
        {
            Notify(in pop);
        }
        else
        {
            Take(in pop);
        }
    }

    // On the thread pool, where nobody else would answer for what goes wrong.
    private void ServeAgain(Pop pop)
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
                Serve(in pop);
            }
        }
        catch (Exception e)
        {
            Log.ParkedPopFailed(_logger, e, pop.Target.Group, pop.Target.Topic.Name);
            pop.Responder.Reply(ResponseCode.SystemError, e.Message);
        }
    }

    private void Take(in Pop pop)
    {
        PopWork work = PopWork.OfThread;
        try
        {
            if (!_lifecycle.HoldsBack)
            {
                _popper.Take(in pop, work);
            }

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

    private void Notify(in Pop pop)
    {
        bool hasMessages = !_lifecycle.HoldsBack && _queues.HasMessages(in pop);
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
