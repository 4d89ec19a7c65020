using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Groups;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Gray;

/// <summary>GET_BROKER_GRAY_STATUS (30120): which clients are on which side here, and who owns which queue. This project's own.</summary>
internal sealed class GrayStatusHandler(
    string brokerName, GrayTable gray, GrayWork work, SubscriptionGroupTable groups, ConsumerTable consumers, ProducerTable producers)
{
    public ValueTask HandleAsync(RemotingRequest request, GetBrokerGrayStatusHeader header)
    {
        GrayProgress progress = work.Report();
        bool knows = !progress.Version.IsNone;
        var status = new BrokerGrayStatus
        {
            BrokerName = brokerName,
            Epoch = progress.Version.Epoch,
            Version = knows ? progress.Version.Version : GetGrayStateHeader.NoVersion,
            KnowsGroup = header.Group is { } group ? groups.FindExisting(group) is not null : null,
            Clients = [.. ConsumersOf(header.Group), .. ProducersOf(header.Group)],
            Subscriptions = [.. SubscriptionsOf(header.Group, Side.Normal), .. SubscriptionsOf(header.Group, Side.Gray)],
            GivenUp =
            [
                .. work.GivenUp()
                    .Where(each => header.Group is null || header.Group == each.Group)
                    .Select(each => new GrayGivenUpStatus { Group = each.Group, Generation = each.Generation, Count = each.Count }),
            ],
            Queues = [.. progress.Queues.Where(queue => IsAsked(queue, header)).Select(ToStatus)],
        };
        request.Reply(BodyCodec.Encode(status));
        return ValueTask.CompletedTask;
    }

    private static bool IsAsked(GrayQueueProgress queue, GetBrokerGrayStatusHeader header) =>
        (header.Group is null || header.Group == queue.Group) && (header.Topic is null || header.Topic == queue.Topic);

    private static GrayQueueStatus ToStatus(GrayQueueProgress queue) => new()
    {
        Group = queue.Group,
        Topic = queue.Topic,
        QueueId = queue.Queue,
        Owner = NameOf(queue.Owner),
        Taker = queue.IsHandedOver ? NameOf(queue.Next) : null,
        Boundary = queue.Boundary,
        Consumed = queue.Consumed,
        MaxOffset = queue.Max,
        Reason = queue.Reason,
    };

    private static string NameOf(Side? side) => side switch
    {
        Side.Normal => "NORMAL",
        Side.Gray => "GRAY",
        _ => "NOBODY",
    };

    private IEnumerable<GrayGroup> GroupsOf(string? asked) =>
        (gray.View?.Groups ?? []).Where(group => asked is null || asked == group.Name);

    private IEnumerable<GraySubscriptionStatus> SubscriptionsOf(string? asked, Side side) =>
        from @group in GroupsOf(asked)
        from subscription in @group.SubscriptionsOf(consumers.Find(@group.Name), Standings.Of(side)).Values
        select new GraySubscriptionStatus
        {
            Group = @group.Name,
            Gray = side == Side.Gray,
            Topic = subscription.Topic,
            ExpressionType = subscription.Data.ExpressionType ?? "",
            Expression = subscription.Data.SubString,
        };

    private IEnumerable<GrayClientStatus> ConsumersOf(string? asked)
    {
        foreach (GrayGroup group in GroupsOf(asked))
        {
            foreach (ConsumerClient client in consumers.Find(group.Name)?.Clients ?? [])
            {
                yield return new GrayClientStatus
                {
                    Group = group.Name,
                    ClientId = client.ClientId,
                    Address = client.Session.Address,
                    Gray = group.StandingOf(client) == Standing.Gray,
                    Because = group.BecauseOf(client),
                };
            }
        }
    }

    private IEnumerable<GrayClientStatus> ProducersOf(string? asked)
    {
        foreach (GrayProducers group in gray.View?.Producers ?? [])
        {
            if (asked is not null && asked != group.Release.Group)
            {
                continue;
            }

            foreach (ProducerClient client in producers.ClientsOf(group.Release.Group))
            {
                yield return new GrayClientStatus
                {
                    Group = group.Release.Group,
                    Producer = true,
                    ClientId = client.Session.ClientId,
                    Address = client.Session.Address,
                    Gray = group.SideOf(client) == Side.Gray,
                    Because = BecauseOf(group.Release, client),
                };
            }
        }
    }

    private static string BecauseOf(GrayRelease release, ProducerClient client) =>
        release.Clients.ContainsKey(client.Session.ClientId) ? "stored"
        : release.Rules.FirstOrDefault(rule => rule.Matches(client.Session.ClientId, client.Session.Connection.RemoteEndPoint?.Address))
            is { } rule ? $"rule {rule.Pattern}"
        : client.GrayFlag is not null ? "heartbeat"
        : "default";
}
