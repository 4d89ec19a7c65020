using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Broker.Grpc.Calls;

/// <summary>Filter expressions in the broker's words.</summary>
internal static class Filters
{
    public static string TypeOf(V2.FilterExpression? filter) => filter?.Type == V2.FilterType.Sql ? "SQL92" : "TAG";

    /// <summary>Nothing said means everything.</summary>
    public static string TextOf(V2.FilterExpression? filter) => filter?.Expression is { Length: > 0 } text ? text : "*";
}
