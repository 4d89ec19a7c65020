using System.Text;
using GrayMQ.NameServer.KVConfigs;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Answers route queries from what was encoded before, as long as nothing has changed that the answer is made of: a query
/// for a known topic then takes no lock and allocates nothing.
/// </summary>
internal sealed class RouteAnswers(RouteTable routes, KVConfigStore configs, LiveOptions options)
{
    private const int MaxStackChars = NameServerLimits.MaxNameLength + 1;

    /// <summary>The namespace of the key-value configuration that holds the order configuration by topic.</summary>
    public const string OrderNamespace = "ORDER_TOPIC_CONFIG";

    /// <summary>The route as JSON, or null when the topic has no queues at a living broker.</summary>
    public ReadOnlyMemory<byte>? Find(ReadOnlySpan<byte> topicUtf8, BodyJsonForm form)
    {
        // A name that does not fit here is longer than any that was let in.
        Span<char> name = stackalloc char[MaxStackChars];
        if (!Encoding.UTF8.TryGetChars(topicUtf8, name, out int length) || !routes.TryFindTopic(name[..length], out TopicRoute? topic))
        {
            return null;
        }

        EncodedRoute? encoded = topic.Encoded;
        return encoded is not null && encoded.Stamp == Stamp(topic.Version, routes.BrokersVersion) && encoded.In(form) is { } json
            ? json
            : Encode(topic, form);
    }

    /// <summary>The route as it is now, or null when the topic has no queues at a living broker.</summary>
    public TopicRouteData? Describe(string topic) => Describe(topic, out _);

    private ReadOnlyMemory<byte>? Encode(TopicRoute topic, BodyJsonForm form)
    {
        if (Describe(topic.Name, out RouteStamp stamp) is not { } route)
        {
            return null;
        }

        byte[] json = BodyCodec.Encode(route, form);
        EncodedRoute other = topic.Encoded is { } encoded && encoded.Stamp == stamp ? encoded : new EncodedRoute(stamp, null, null);
        topic.Encoded = form == BodyJsonForm.Standard ? other with { Standard = json } : other with { Fastjson = json };
        return json;
    }

    private TopicRouteData? Describe(string topic, out RouteStamp stamp)
    {
        // Each version is read before what it stands for: a change in between makes the answer stale, never wrong for long.
        stamp = Stamp(0, 0);
        if (!routes.TryDescribe(topic, out TopicRouteData? route, out long topicVersion, out long brokersVersion))
        {
            return null;
        }

        stamp = stamp with { Topic = topicVersion, Brokers = brokersVersion };
        if (options.Current.OrderMessageEnable)
        {
            route.OrderTopicConf = configs.Find(OrderNamespace, topic);
        }

        return route;
    }

    private RouteStamp Stamp(long topicVersion, long brokersVersion) =>
        new(topicVersion, brokersVersion, configs.Version, options.Version);
}
