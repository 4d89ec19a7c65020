using System.Collections.Concurrent;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>What name servers said of who else takes messages.</summary>
/// <param name="Topics">Those that another broker takes messages of; null when no name server said.</param>
/// <param name="AskAgain">One of them answered, and is going to say as soon as it knows.</param>
internal readonly record struct WriteAlternativesAnswer(IReadOnlyCollection<string>? Topics, bool AskAgain);

/// <summary>
/// Finds out which topics producers can send to at another broker. The others must keep their write permission in the routes: a stock
/// client that finds a topic without any writable queue fails its sends at once (RocketMQ: tryToFindTopicPublishInfo).
/// </summary>
internal sealed class WriteAlternatives(
    LifecycleOptions options, TopicTable topics, RemotingClient client, ILogger<WriteAlternatives> logger)
{
    private const int QuestionsAtATime = 16;
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);

    // What was logged of each name server since it last told: whoever asks again does so each second.
    private readonly ConcurrentDictionary<string, string> _logged = new(StringComparer.Ordinal);

    /// <summary>The topics that another broker takes messages of.</summary>
    /// <param name="leaving">Names of brokers that leave as well: they do not count.</param>
    public async Task<WriteAlternativesAnswer> FindAsync(IReadOnlyCollection<string> leaving, CancellationToken cancel)
    {
        bool askAgain = false;
        foreach (string nameServer in options.NameServers)
        {
            try
            {
                if (await AskAsync(nameServer, leaving, cancel).ConfigureAwait(false) is { } topics)
                {
                    _logged.TryRemove(nameServer, out _);
                    return new WriteAlternativesAnswer(topics, AskAgain: false);
                }

                askAgain = true;
            }
            catch (Exception e) when (e is IOException or TimeoutException or BodyFormatException)
            {
                LogOnce(nameServer, e.Message);
            }
        }

        return new WriteAlternativesAnswer(null, askAgain);
    }

    // Null when the name server has just come back and does not know all brokers yet.
    private async Task<IReadOnlyCollection<string>?> AskAsync(
        string nameServer, IReadOnlyCollection<string> leaving, CancellationToken cancel)
    {
        var movable = new ConcurrentBag<string>();
        string? refusal = null;
        List<Topic> asked =
        [
            .. topics.Snapshot().Topics.Where(topic => TopicPermission.IsWritable(topic.Config.Perm) && !topic.IsForbiddenToSend),
        ];

        // The first one alone: who refuses it refuses all.
        foreach (Topic first in asked.Take(1))
        {
            await FindOutAsync(first, cancel).ConfigureAwait(false);
        }

        var atATime = new ParallelOptions { MaxDegreeOfParallelism = QuestionsAtATime, CancellationToken = cancel };
        await Parallel.ForEachAsync(asked.Skip(1), atATime, FindOutAsync).ConfigureAwait(false);
        if (refusal is null)
        {
            return movable;
        }

        LogOnce(nameServer, refusal);
        return null;

        async ValueTask FindOutAsync(Topic topic, CancellationToken stop)
        {
            if (Volatile.Read(ref refusal) is not null)
            {
                return;
            }

            RemotingCommand answer = await client
                .InvokeAsync(
                    nameServer,
                    RequestCode.GetRouteInfoByTopic,
                    new GetRouteInfoHeader(topic.Name) { AskingBroker = options.BrokerName },
                    default,
                    AskTimeout,
                    stop)
                .ConfigureAwait(false);
            if (answer.ResponseCode == ResponseCode.SystemError)
            {
                Volatile.Write(ref refusal, answer.Remark ?? "");
            }

            if (answer.ResponseCode == ResponseCode.Success
                && IsTakenElsewhere(BodyCodec.Decode<TopicRouteData>(answer.Body), leaving))
            {
                movable.Add(topic.Name);
            }
        }
    }

    private void LogOnce(string nameServer, string reason)
    {
        if (!_logged.TryGetValue(nameServer, out string? before) || before != reason)
        {
            _logged[nameServer] = reason;
            Log.RoutesNotTold(logger, nameServer, reason);
        }
    }

    private bool IsTakenElsewhere(TopicRouteData route, IReadOnlyCollection<string> leaving) =>
        // Producers of a topic whose order is configured go by that configuration, whatever the permissions say.
        string.IsNullOrEmpty(route.OrderTopicConf)
        && route.QueueDatas.Exists(queues =>
            queues.BrokerName != options.BrokerName
            && !leaving.Contains(queues.BrokerName)
            && queues.WriteQueueNums > 0
            && TopicPermission.IsWritable(queues.Perm)
            && route.BrokerDatas.Exists(broker =>
                broker.BrokerName == queues.BrokerName && broker.BrokerAddrs.ContainsKey(BrokerData.MasterId)));
}
