using System.Text;
using GrayMQ.NameServer.Lifecycle;
using GrayMQ.NameServer.Returns;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.NameServer.Routes;

/// <summary>Tells clients where a topic lives (RocketMQ request 105).</summary>
internal sealed class RouteHandler(RouteAnswers answers, KnownBrokers known, NameServerLifecycle lifecycle)
{
    /// <summary>From this version on clients read JSON by the standard (RocketMQ: ordinal of V4_9_4).</summary>
    private const short StandardJsonSinceVersion = 401;

    private int _held;

    public ValueTask HandleAsync(RemotingRequest request, GetRouteInfoHeader header)
    {
        if (lifecycle.RefusesEveryRoute)
        {
            request.Reply(ResponseCode.SystemError, "name server not ready");
            return ValueTask.CompletedTask;
        }

        BodyJsonForm form = header.AcceptStandardJsonOnly || request.Version >= StandardJsonSinceVersion
            ? BodyJsonForm.Standard
            : BodyJsonForm.Fastjson;
        string? zone = header.ZoneMode && !string.IsNullOrWhiteSpace(header.ZoneName) ? header.ZoneName : null;

        // A broker asks before it registers, which clients may be waiting for: its question is not held. A name that is longer than any that
        // is let in is no topic's, whoever is missing.
        string? broker = header.AskingBroker;
        if (header.TopicUtf8.Length > NameServerLimits.MaxNameBytes
            || !known.IsWaiting
            || (broker is not null && known.WaitsForNoneBut(broker)))
        {
            Answer(request.Responder, header.TopicUtf8.Span, zone, form);
            return ValueTask.CompletedTask;
        }

        if (broker is not null
            || known.Held.IsCompleted
            || zone?.Length > NameServerLimits.MaxNameLength
            || Interlocked.Increment(ref _held) > NameServerLimits.MaxHeldQuestions)
        {
            RefuseForNow(request.Responder);
            return ValueTask.CompletedTask;
        }

        return AnswerOnceBackAsync(request.Responder, header.TopicUtf8.ToArray(), zone, form);
    }

    // Whoever has no route yet would fail if it were refused.
    private async ValueTask AnswerOnceBackAsync(Responder responder, byte[] topic, string? zone, BodyJsonForm form)
    {
        await known.Held.ConfigureAwait(false);
        if (known.IsWaiting)
        {
            RefuseForNow(responder);
        }
        else
        {
            Answer(responder, topic, zone, form);
        }
    }

    private void Answer(Responder responder, ReadOnlySpan<byte> topicUtf8, string? zone, BodyJsonForm form)
    {
        ReadOnlyMemory<byte>? json = zone is null
            ? answers.Find(topicUtf8, form)
            : FindInZone(Encoding.UTF8.GetString(topicUtf8), zone, form);
        if (json is { } found)
        {
            responder.Reply(found);
            return;
        }

        string topic = Encoding.UTF8.GetString(topicUtf8);
        responder.Reply(
            ResponseCode.TopicNotExist,
            $"No topic route info in name server for the topic: {topic}\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.");
    }

    // Clients keep the route that they have, and ask again: by one that is short of a broker they would let go of its queues.
    private void RefuseForNow(Responder responder) => responder.Reply(
        ResponseCode.SystemError, $"name server not ready: {known.WaitingFor}");

    /// <summary>
    /// Leaves out brokers of other zones, unless their master is away: then their slaves are there for all (RocketMQ:
    /// ZoneRouteRPCHook).
    /// </summary>
    private ReadOnlyMemory<byte>? FindInZone(string topic, string zone, BodyJsonForm form)
    {
        if (answers.Describe(topic) is not { } route)
        {
            return null;
        }

        foreach (BrokerData broker in route.BrokerDatas.ToList())
        {
            if (!broker.BrokerAddrs.ContainsKey(BrokerData.MasterId)
                || string.Equals(broker.ZoneName, zone, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            route.BrokerDatas.Remove(broker);
            route.QueueDatas.RemoveAll(queue => queue.BrokerName == broker.BrokerName);
            foreach (string address in broker.BrokerAddrs.Values)
            {
                route.FilterServerTable.Remove(address);
            }
        }

        return BodyCodec.Encode(route, form);
    }
}
