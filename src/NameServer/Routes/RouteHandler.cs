using System.Text;
using GrayMQ.NameServer.Lifecycle;
using GrayMQ.NameServer.Returns;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.NameServer.Routes;

/// <summary>Tells clients where a topic lives (RocketMQ request 105).</summary>
internal sealed class RouteHandler(RouteAnswers answers, KnownBrokers known, NameServerLifecycle lifecycle)
{
    /// <summary>From this version on clients read JSON by the standard (RocketMQ: ordinal of V4_9_4).</summary>
    private const short StandardJsonSinceVersion = 401;

    private static readonly byte[] Template = Encoding.UTF8.GetBytes(TopicNames.AutoCreateTemplate);

    public ValueTask HandleAsync(RemotingRequest request, GetRouteInfoHeader header)
    {
        if (lifecycle.RefusesEveryRoute)
        {
            request.Reply(ResponseCode.SystemError, "name server not ready");
            return ValueTask.CompletedTask;
        }

        // With the template's route clients would have topics made that there are.
        if (known.IsWaiting && header.TopicUtf8.Span.SequenceEqual(Template))
        {
            RefuseForNow(request);
            return ValueTask.CompletedTask;
        }

        BodyJsonForm form = header.AcceptStandardJsonOnly || request.Version >= StandardJsonSinceVersion
            ? BodyJsonForm.Standard
            : BodyJsonForm.Fastjson;
        ReadOnlyMemory<byte>? json = header.ZoneMode && !string.IsNullOrWhiteSpace(header.ZoneName)
            ? FindInZone(Encoding.UTF8.GetString(header.TopicUtf8.Span), header.ZoneName, form)
            : answers.Find(header.TopicUtf8.Span, form);
        if (json is { } found)
        {
            request.Reply(found);
        }
        else if (known.IsWaiting)
        {
            RefuseForNow(request);
        }
        else
        {
            string topic = Encoding.UTF8.GetString(header.TopicUtf8.Span);
            request.Reply(
                ResponseCode.TopicNotExist,
                $"No topic route info in name server for the topic: {topic}\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.");
        }

        return ValueTask.CompletedTask;
    }

    // Clients keep the route that they have, and ask again.
    private void RefuseForNow(in RemotingRequest request) => request.Reply(
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
