using GrayMQ.Gray;

namespace GrayMQ.Broker.Gray;

/// <summary>Where somebody who asks stands in a group that has, or had, a release.</summary>
internal enum Standing
{
    /// <summary>The rules do not concern him.</summary>
    Plain,

    /// <summary>A connection of which nobody can say yet whose it is: it is given nothing, and what it says does not count.</summary>
    Unknown,

    Normal,

    Gray,

    /// <summary>He was on the side that a release has ended: he is given nothing until he is gone.</summary>
    Retired,
}

internal static class Standings
{
    public static Standing Of(Side side) => side == Side.Gray ? Standing.Gray : Standing.Normal;

    /// <summary>The side of someone who has one.</summary>
    public static Side? ToSide(this Standing standing) => standing switch
    {
        Standing.Normal => Side.Normal,
        Standing.Gray => Side.Gray,
        _ => null,
    };
}
