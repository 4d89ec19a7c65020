using System.Diagnostics;
using System.Globalization;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;

namespace GrayMQ.Chaos.Rolling.Stock;

/// <summary>One queue of a topic at a broker.</summary>
internal readonly record struct StockQueue(string Broker, string Address, int QueueId);

/// <summary>
/// What a stock client knows of a topic: it asks a name server every so often, goes to the next one when that does not answer, and keeps
/// what it knew when there is no answer that helps.
/// </summary>
/// <param name="poll">The time between two polls; 30 s for stock clients.</param>
internal sealed class StockRoute(RemotingClient client, IReadOnlyList<string> nameServers, string topic, TimeSpan poll)
{
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);

    private int _nameServer;
    private long _asked;
    private bool _known;

    /// <summary>Where a producer sends to: queues that are writable, or those of the topic's order configuration, whatever is writable.</summary>
    public IReadOnlyList<StockQueue> Writable { get; private set; } = [];

    public IReadOnlyList<StockQueue> Readable { get; private set; } = [];

    /// <summary>Polls when it is time to.</summary>
    /// <returns>Whether it was asked and answered.</returns>
    public async Task<bool> RefreshAsync()
    {
        if (_known && Stopwatch.GetElapsedTime(_asked) < poll)
        {
            return false;
        }

        for (int tried = 0; tried < nameServers.Count; tried++)
        {
            if (await AskAsync(nameServers[_nameServer % nameServers.Count]))
            {
                _asked = Stopwatch.GetTimestamp();
                _known = true;
                return true;
            }

            _nameServer++;
        }

        // With its next poll.
        _asked = Stopwatch.GetTimestamp();
        return false;
    }

    private async Task<bool> AskAsync(string nameServer)
    {
        try
        {
            RemotingCommand answer = await client.InvokeAsync(
                nameServer, RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic), default, AskTimeout);
            if (answer.ResponseCode != ResponseCode.Success)
            {
                return false;
            }

            Take(BodyCodec.Decode<TopicRouteData>(answer.Body));
            return true;
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            return false;
        }
    }

    private void Take(TopicRouteData route)
    {
        Dictionary<string, string> addresses = route.BrokerDatas
            .Where(broker => broker.BrokerAddrs.ContainsKey(BrokerData.MasterId))
            .ToDictionary(broker => broker.BrokerName, broker => broker.BrokerAddrs[BrokerData.MasterId], StringComparer.Ordinal);
        Readable =
        [
            .. from queues in route.QueueDatas
               where TopicPermission.IsReadable(queues.Perm) && addresses.ContainsKey(queues.BrokerName)
               from queueId in Enumerable.Range(0, queues.ReadQueueNums)
               select new StockQueue(queues.BrokerName, addresses[queues.BrokerName], queueId),
        ];
        if (!string.IsNullOrEmpty(route.OrderTopicConf))
        {
            // Never less than there was: a queue whose broker the route does not show is sent to at the address that was known.
            Dictionary<string, string> known = Writable.Select(queue => (queue.Broker, queue.Address)).Distinct()
                .ToDictionary(pair => pair.Broker, pair => pair.Address, StringComparer.Ordinal);
            Writable =
            [
                .. from part in route.OrderTopicConf.Split(';', StringSplitOptions.RemoveEmptyEntries)
                   let nameAndCount = part.Split(':')
                   let address = addresses.GetValueOrDefault(nameAndCount[0]) ?? known.GetValueOrDefault(nameAndCount[0])
                   where address is not null
                   from queueId in Enumerable.Range(0, int.Parse(nameAndCount[1], CultureInfo.InvariantCulture))
                   select new StockQueue(nameAndCount[0], address, queueId),
            ];
            return;
        }

        Writable =
        [
            .. from queues in route.QueueDatas
               where TopicPermission.IsWritable(queues.Perm) && addresses.ContainsKey(queues.BrokerName)
               from queueId in Enumerable.Range(0, queues.WriteQueueNums)
               select new StockQueue(queues.BrokerName, addresses[queues.BrokerName], queueId),
        ];
    }
}
