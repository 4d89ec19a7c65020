using System.Text.RegularExpressions;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;

namespace GrayMQ.Filtering.Compilation;

/// <summary>
/// What distinguishes expressions of one shape: the target of the delegates that share the shape's code. Fields, because the code
/// loads them; each in the order in which the code needs them.
/// </summary>
internal sealed class ShapeConstants
{
    public required int[] Slots;
    public required byte[][] Texts;
    public required NumberKey[] Keys;
    public required FilterNumber[] Numbers;
    public required TextSet[] Sets;
    public required Regex[] Patterns;
}
