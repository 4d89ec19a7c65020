namespace GrayMQ.Protocol.Bodies;

/// <summary>The two dialects in which RocketMQ's servers write JSON.</summary>
public enum BodyJsonForm
{
    /// <summary>What fastjson writes by default: numeric and object keys of maps stand unquoted.</summary>
    Fastjson,

    /// <summary>JSON by the standard, non-ASCII escaped: for route queries of clients that ask for it.</summary>
    Standard,
}
